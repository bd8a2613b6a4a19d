//! `daybook admin ownership` and `daybook admin publish-again`.

use clap::Args;
use daybook_projector::{row_topics, worker};

use super::output::line;
use super::{Exit, Failure, Outcome, Session};
use crate::config::Settings;
use crate::database::Pools;
use crate::dev::{Database, Preparation, ensure_database};

/// Show or set what gives out the projector's lanes
#[derive(Debug, Args)]
#[command(
    after_help = "`lease`: the projectors share the lanes by a lease in the database. `kafka`: Kafka's consumer group gives them out, to projectors that have DAYBOOK_KAFKA_BROKERS. From the moment that it is set, projectors of the other kind post nothing; those that can do both go on by themselves, within seconds. Nothing is lost and nothing posted twice.\n\nExample: daybook admin ownership kafka"
)]
pub(super) struct Ownership {
    /// lease or kafka; nothing: only shows it
    to: Option<worker::Ownership>,
}

impl Ownership {
    pub(super) async fn run(self, session: Session) -> Outcome {
        let (database, pools) = open(&session.settings).await?;
        match self.to {
            None => line(worker::ownership(&pools.projector).await?.to_string()),
            Some(to) => {
                let before = worker::switch_ownership(&pools.projector, to).await?;
                line(format!("Lanes were given out by {before}, and are by {to} from now on."));
                if to == worker::Ownership::Kafka && session.settings.kafka_brokers.is_none() {
                    line("Projectors without DAYBOOK_KAFKA_BROKERS wait, and say so.");
                }
            }
        }
        pools.close().await;
        database.close().await?;
        Ok(Exit::Done)
    }
}

/// Publish all rows of read tables to their topics again
#[derive(Debug, Args)]
#[command(
    after_help = "For topics that were deleted, and after a rebuild that changed rows. Whoever has the role relay publishes them, from the log's beginning; other tables' topics wait meanwhile.\n\nExample: daybook admin publish-again users accounts"
)]
pub(super) struct PublishAgain {
    /// The tables
    #[arg(required = true)]
    tables: Vec<String>,
}

impl PublishAgain {
    pub(super) async fn run(self, session: Session) -> Outcome {
        let Some(kafka) = session.settings.kafka() else {
            return Err(Failure::wrong_use("there is no Kafka: set DAYBOOK_KAFKA_BROKERS"));
        };
        let (database, pools) = open(&session.settings).await?;
        for table in &self.tables {
            let topic = kafka.naming.rows(table);
            if row_topics::publish_again(&pools.projector, &topic).await? {
                line(format!("{topic} is published again from the beginning"));
            } else {
                return Err(Failure::failed(format!(
                    "nobody publishes {topic}; DAYBOOK_KAFKA_ROW_TOPICS says which tables are"
                )));
            }
        }
        pools.close().await;
        database.close().await?;
        Ok(Exit::Done)
    }
}

async fn open(settings: &Settings) -> Result<(Database, Pools), Failure> {
    let database = ensure_database(settings, Preparation::MigratePrivate).await?;
    let pools = database.pools(settings).await?;
    Ok((database, pools))
}
