//! `daybook reconcile`.

use clap::Args;
use daybook_store::Log;
use daybook_store::kafka::reconcile::{self, Partition, Progress, ReconcileError, Report};
use daybook_store::kafka::{Connection, RelayOptions};

use super::output::{self, Output, line};
use super::{Exit, Failure, Outcome, Session};
use crate::dev::{Preparation, ensure_database};
use crate::import::progress;
use crate::{sides, world};

/// Compare Kafka's topic of events with the log, record by record
#[derive(Debug, Args)]
#[command(
    after_help = "Each partition is compared with its lane from where Kafka's retention has left it: missing, duplicated, reordered, foreign and differing records are counted and some of each partition named. Commands, relay and projectors may go on meanwhile.\n\nWith --repair, events that are missing at the ends are published; where anything else is wrong, the topic is deleted, made again and filled from the log. Consumers find the places that they know and drop them. Then it is compared again.\n\nExit code 3: the topic differs from the log.\n\nExample: DAYBOOK_KAFKA_BROKERS=kafka:9092 daybook reconcile"
)]
pub(super) struct Reconcile {
    /// Mend what is wrong; may delete the topic and fill it again
    #[arg(long)]
    repair: bool,
    /// How many differences of each partition are named; all are counted
    #[arg(long, default_value_t = 5, value_name = "DIFFERENCES")]
    examples: usize,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

impl Reconcile {
    pub(super) async fn run(self, session: Session) -> Outcome {
        let settings = &session.settings;
        let kafka = settings.kafka().ok_or_else(|| {
            Failure::wrong_use("there is no Kafka to compare with. Set DAYBOOK_KAFKA_BROKERS")
        })?;
        let database = ensure_database(settings, Preparation::MigratePrivate).await?;
        let pools = database.pools(settings).await?;
        let log = Log::new(pools.projector.clone());
        let outcome = self.reconcile(&log, &kafka).await;
        pools.close().await;
        database.close().await?;
        outcome
    }

    async fn reconcile(&self, log: &Log, kafka: &Connection) -> Outcome {
        let mut found = match self.compare(log, kafka).await {
            Ok(report) => Some(report),
            Err(ReconcileError::NoTopic(_)) if self.repair => None,
            Err(error) => return Err(error.into()),
        };
        if self.repair && !found.as_ref().is_some_and(Report::is_same) {
            if let Some(report) = &found {
                tracing::info!(topic = report.topic, "the topic differs from the log; repairing");
            }
            let options = RelayOptions::new(world::fresh_id(), sides::host());
            reconcile::repair(log, kafka, found.as_ref(), options).await?;
            found = Some(self.compare(log, kafka).await?);
        }
        let Some(report) = found else { return Ok(Exit::Done) };
        match self.output {
            Output::Json => line(serde_json::to_string_pretty(&report)?),
            Output::Table => print(&report)?,
        }
        Ok(if report.is_same() { Exit::Done } else { Exit::Difference })
    }

    async fn compare(&self, log: &Log, kafka: &Connection) -> Result<Report, ReconcileError> {
        let bar = progress::bar(0, "comparing");
        let tell = |Progress { done, total }| {
            bar.set_length(total.unsigned_abs());
            bar.set_position(done.unsigned_abs());
        };
        let report = reconcile::compare(log, kafka, self.examples, &tell).await;
        bar.finish_and_clear();
        report
    }
}

fn print(report: &Report) -> Result<(), Failure> {
    let different: Vec<&Partition> =
        report.partitions.iter().filter(|partition| !partition.is_same()).collect();
    if !different.is_empty() {
        let columns =
            ["PARTITION", "RECORDS", "MISSING", "DUPLICATED", "REORDERED", "FOREIGN", "DIFFERING"];
        output::rows(Output::Table, columns, &different, |partition| {
            let numbers = [
                partition.records,
                partition.missing,
                partition.duplicated,
                partition.reordered,
                partition.foreign,
                partition.differing,
            ];
            let [a, b, c, d, e, f] = numbers.map(|number| number.to_string());
            [partition.partition.to_string(), a, b, c, d, e, f]
        })?;
        for partition in different {
            for difference in &partition.differences {
                line(format!(
                    "partition {}: {}",
                    partition.partition,
                    serde_json::to_string(difference)?
                ));
            }
        }
    }
    let records: u64 = report.partitions.iter().map(|partition| partition.records).sum();
    line(if report.is_same() {
        format!(
            "{} has what the log says, up to position {} ({records} records).",
            report.topic, report.position
        )
    } else {
        format!("{} differs from the log; `daybook reconcile --repair` mends it.", report.topic)
    });
    Ok(())
}
