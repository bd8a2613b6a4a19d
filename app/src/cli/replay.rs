//! `daybook replay`.

use std::path::PathBuf;

use clap::Args;
use daybook_projector::replay::{
    Destination, Format, Order, Progress, Replay, ReplayError, Sink, Summary,
};

use super::as_of::Stay;
use super::history::History;
use super::log_filter::LogFilter;
use super::output::{self, Output, line};
use super::rebuild::migrators;
use super::{Exit, Failure, Outcome, Session};
use crate::config::DatabaseUrl;
use crate::import::progress;
use crate::retell::Other;

/// Write history, or a slice of it, to a file
#[derive(Debug, Args)]
#[command(
    after_help = "The form follows from the file's name: .ndjson, .csv or .parquet; --format parquet-by-type and parquet-by-month make a folder of typed files. - is NDJSON on standard output, with the summary on standard error. Secrets and their hashes are left out. An interrupted replay leaves FILE.replay beside the file: the same command goes on from there, over the same stretch of the log, and gives the same bytes (of Parquet, whole months are kept and the rest is begun again). With --topic, --schema and --into the state is in NAME.replay in the folder that you are in, and no event is published, posted or told twice. A schema holds the read tables that the slice makes, for auditors (daybook_auditor); `daybook as-of list` and `drop` know it, and it needs the administrator that migrate_url names. Another Daybook gets the same commands with the same ids and events, secrets included, keeps the same rules from then on, and posts them as its own. The digest is SHA-256 over the events as lines of NDJSON, whatever the form; of an NDJSON file it is what sha256sum says.\n\nExample: daybook replay 2026-01.ndjson --contexts banking --from 2026-01-01T00:00:00Z --to 2026-02-01T00:00:00Z"
)]
pub(super) struct ReplayCommand {
    /// The file; - is standard output
    #[arg(required_unless_present_any = ["topic", "schema", "into"])]
    file: Option<PathBuf>,
    /// A Kafka topic instead: records as the relay publishes them, to be read by what is to see the past once more
    #[arg(long, value_name = "NAME", conflicts_with_all = ["file", "format", "schema", "into"])]
    topic: Option<String>,
    /// Read tables in a schema of this name instead, made from these events alone
    #[arg(long, value_name = "NAME", conflicts_with_all = ["file", "format", "into"])]
    schema: Option<String>,
    #[command(flatten)]
    stay: Stay,
    /// The log of another Daybook instead: the URL of its database, as its DATABASE_URL has it (a password may stand in ~/.pgpass)
    #[arg(long, value_name = "URL", conflicts_with_all = ["file", "format"])]
    into: Option<DatabaseUrl>,
    /// The form [default: by the file's name]
    #[arg(long, value_enum)]
    format: Option<Form>,
    #[command(flatten)]
    which: LogFilter,
    /// The first position
    #[arg(long, value_name = "POSITION", default_value_t = 1)]
    from_position: i64,
    /// The last position [default: the log's last one now]
    #[arg(long, value_name = "POSITION")]
    to_position: Option<i64>,
    /// So many times as fast as it happened [default: as fast as it goes]
    #[arg(long, value_name = "TIMES", value_parser = speed)]
    speed: Option<f64>,
    /// Throw away what is there, finished or not; of a topic and another Daybook, only the state of an unfinished replay
    #[arg(long)]
    anew: bool,
    /// How the summary is printed
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// A form of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// A line of JSON for each event.
    Ndjson,
    /// A line of CSV for each event, after one of names.
    Csv,
    /// One Parquet file; the data of events as JSON.
    Parquet,
    /// A folder of Parquet files, one for each type of event, with a typed column for each field.
    ParquetByType,
    /// The same, one for each type and month of recording.
    ParquetByMonth,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(times) if (0.001..=1e9).contains(&times) => Ok(times),
        Ok(_) | Err(_) => Err("from 0.001 to 1000000000 times as fast".to_owned()),
    }
}

impl ReplayCommand {
    pub(super) async fn run(self, session: Session) -> Outcome {
        let format = self.format()?;
        let history = History::open(&session).await?;
        let outcome = self.write_all(&session, &history, format).await;
        history.close().await?;
        outcome
    }

    async fn write_all(&self, session: &Session, history: &History, format: Format) -> Outcome {
        let order = Order {
            filter: self.which.filter(self.to_position, &history.log).await?,
            after: (self.from_position - 1).max(0),
            format,
            speed: self.speed,
        };
        let destination = self.destination(session, history).await?;
        self.write(history, order, destination).await
    }

    fn to_stdout(&self) -> bool {
        self.file.as_ref().is_some_and(|file| file.as_os_str() == "-")
    }

    async fn destination(
        &self,
        session: &Session,
        history: &History,
    ) -> Result<Destination, Failure> {
        if let Some(schema) = &self.schema {
            return Ok(Destination::Schema {
                migrators: migrators(&history.database).await?,
                order: Box::new(self.stay.order(schema, 0, &session.settings)),
                anew: self.anew,
                path: PathBuf::from(schema),
            });
        }
        if let Some(url) = &self.into {
            let database = url.options()?;
            let path = PathBuf::from(database.get_database().unwrap_or("daybook"));
            let other = Other::open(&database, &session.settings, &history.log).await?;
            let bound_to = other.between().to_owned();
            let sink: Option<Box<dyn Sink>> = Some(Box::new(other));
            return Ok(Destination::Sink { sink, bound_to, anew: self.anew, path });
        }
        match (&self.topic, &self.file) {
            (Some(topic), _) => {
                let connection = session.settings.kafka().ok_or_else(|| {
                    Failure::wrong_use("a topic needs Kafka: set DAYBOOK_KAFKA_BROKERS")
                })?;
                Ok(Destination::Topic {
                    connection: Box::new(connection),
                    topic: topic.clone(),
                    anew: self.anew,
                    path: PathBuf::from(topic),
                })
            }
            (None, Some(_)) if self.to_stdout() => Ok(Destination::Stdout),
            (None, Some(file)) => Ok(Destination::Path { path: file.clone(), anew: self.anew }),
            (None, None) => {
                Err(Failure::wrong_use("say which file, or --topic, --schema or --into"))
            }
        }
    }

    fn format(&self) -> Result<Format, Failure> {
        match (&self.topic, &self.schema, &self.into) {
            (Some(_), _, _) => return Ok(Format::Records),
            (None, Some(_), _) => return Ok(Format::Tables),
            (None, None, Some(_)) => return Ok(Format::Events),
            (None, None, None) => {}
        }
        let file = self.file.clone().unwrap_or_default();
        let named = file.extension().and_then(|end| end.to_str());
        let form = match (self.format, named) {
            (Some(form), _) => form,
            (None, Some("csv")) => Form::Csv,
            (None, Some("ndjson" | "jsonl")) => Form::Ndjson,
            (None, Some("parquet")) => Form::Parquet,
            (None, _) if self.to_stdout() => Form::Ndjson,
            (None, _) => {
                return Err(Failure::wrong_use(format!(
                    "{} does not say in which form; name it .ndjson, .csv or .parquet, or add --format",
                    file.display()
                )));
            }
        };
        Ok(match form {
            Form::Ndjson => Format::Ndjson,
            Form::Csv => Format::Csv,
            Form::Parquet => Format::Parquet,
            Form::ParquetByType => Format::ParquetByType,
            Form::ParquetByMonth => Format::ParquetByMonth,
        })
    }

    async fn write(&self, history: &History, order: Order, destination: Destination) -> Outcome {
        let asked = destination.describe(&order);
        let replay = Replay::plan(&history.log, order, destination).await;
        let replay = replay.map_err(of_replay)?;
        if let Some(position) = replay.resumes_after() {
            eprintln!("going on after position {position}");
        }
        let bar = progress::bar(0, "replaying");
        let tell = |Progress { done, total }| {
            bar.set_length(total.unsigned_abs());
            bar.set_position(done.unsigned_abs());
        };
        // Who takes history out is written down before any of it leaves.
        let reading = history.begin_read("replay", asked).await?;
        let summary = replay.run(&history.log, &tell).await;
        bar.finish_and_clear();
        match summary {
            Ok(summary) => {
                let rows = i64::try_from(summary.events).unwrap_or(i64::MAX);
                history.end_read(reading, rows, Some(summary.digest.clone())).await?;
                self.tell(&summary)
            }
            // Such as `head`, which has seen enough.
            Err(ReplayError::Gone) => Ok(Exit::Done),
            Err(error) => Err(of_replay(error)),
        }
    }

    fn tell(&self, summary: &Summary) -> Outcome {
        let text = match self.output {
            Output::Json => serde_json::to_string_pretty(summary)?,
            Output::Table => format!(
                "{} events of {} types, positions {} to {} of the log, {} bytes in {:.1} s\nSHA-256 {}",
                summary.events,
                summary.types.len(),
                summary.after_position + 1,
                summary.up_to_position,
                summary.bytes,
                summary.seconds,
                summary.digest,
            ),
        };
        if self.to_stdout() {
            eprintln!("{text}");
            return Ok(Exit::Done);
        }
        line(text);
        if self.output == Output::Table {
            let types: Vec<_> = summary.types.iter().collect();
            output::rows(Output::Table, ["EVENTS", "TYPE"], &types, |(name, count)| {
                [count.to_string(), (*name).clone()]
            })?;
        }
        Ok(Exit::Done)
    }
}

fn of_replay(error: ReplayError) -> Failure {
    match error {
        ReplayError::InTheWay(message) | ReplayError::Stretch(message) => {
            Failure::wrong_use(message)
        }
        other => other.into(),
    }
}
