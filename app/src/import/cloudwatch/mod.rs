//! Metrics of a few servers, as Amazon `CloudWatch` gave them out (Numenta Anomaly Benchmark).

pub mod plan;
pub mod read;

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use daybook_command::Engine;
use daybook_domain::context::Actor;
use rust_decimal::{Decimal, RoundingStrategy};
use sqlx::PgPool;

use super::progress;
use super::report::{Check, ImportError, Report};
use super::source::Source;
use super::submit;
use read::{CloudWatch, ServerFile};

impl Source for CloudWatch {
    type Told = Report;

    fn read(folder: &Path) -> Result<Self, ImportError> {
        read::read(folder)
    }

    fn told(&self) -> Report {
        Report {
            wrong: self.wrong.clone(),
            passed_over: self.repeated.clone(),
            ..Report::default()
        }
    }

    fn summary(&self) -> String {
        format!("{} servers, {} samples", self.servers.len(), self.samples())
    }

    /// Each server is provisioned, then what was measured on it is delivered.
    async fn import(&self, engine: Arc<Engine>) -> Report {
        let mut report = self.told();
        let commands: usize =
            self.servers.iter().map(|server| plan::commands(server).count()).sum();
        let bar = progress::bar(commands as u64, "importing");
        for server in &self.servers {
            let commands: Vec<_> =
                plan::commands(server).map(|(line, command)| (line, Ok(command))).collect();
            let stream = futures::stream::iter(commands);
            let engine = engine.clone();
            submit::submit(engine, Actor::importer(), server.file, stream, &bar, &mut report).await;
        }
        bar.finish_and_clear();
        report
    }

    /// Every sample, rounded to the six decimals that are kept.
    async fn compare(&self, pool: &PgPool) -> Result<Vec<Check>, ImportError> {
        let mut checks = Vec::new();
        for server in &self.servers {
            checks.push(differing(pool, server).await?);
        }
        Ok(checks)
    }
}

async fn differing(pool: &PgPool, server: &ServerFile) -> Result<Check, ImportError> {
    let instants: Vec<DateTime<Utc>> = server.samples.iter().map(|sample| sample.at).collect();
    let rounded =
        |value: Decimal| value.round_dp_with_strategy(6, RoundingStrategy::MidpointAwayFromZero);
    let values: Vec<Decimal> = server.samples.iter().map(|sample| rounded(sample.value)).collect();
    let different: i64 = sqlx::query_scalar(include_str!("samples.sql"))
        .bind(instants)
        .bind(values)
        .bind(plan::server_id(server))
        .bind(&server.metric)
        .fetch_one(pool)
        .await?;
    Ok(Check {
        what: format!("samples of {} and in {}", plan::hostname(server), server.file),
        compared: server.samples.len() as u64,
        different: different.unsigned_abs(),
    })
}
