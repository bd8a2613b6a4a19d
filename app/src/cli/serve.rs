//! `daybook serve`.

use clap::Args;

use super::{Exit, Failure, Outcome, Session};
use crate::database::{PoolSizes, Pools};
use crate::serve::{Runtime, close, run, sides};

/// Run one process with some or all roles
#[derive(Debug, Args)]
#[command(
    after_help = "Needs a migrated database (`daybook migrate up`), and DATABASE_URL as daybook_service.\n\nExample: DATABASE_URL=postgres://daybook_service:…@db/daybook daybook serve --roles command,query"
)]
pub(super) struct Serve {
    /// What this process does: any of command, query, relay, projector [default: all]
    #[arg(long, value_name = "ROLES")]
    roles: Option<String>,
    /// Where HTTP is served [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

impl Serve {
    pub(super) fn flags(&self) -> Vec<(String, String)> {
        [("roles", &self.roles), ("listen", &self.listen)]
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)))
            .collect()
    }

    pub(super) async fn run(self, session: Session) -> Outcome {
        let Session { settings, cancel, .. } = session;
        let url = settings.database_url.as_ref().ok_or_else(|| {
            Failure::wrong_use(
                "no database is named. Set DATABASE_URL, or use `daybook dev` for one of your own",
            )
        })?;
        let sizes = PoolSizes {
            writer: settings.writer_connections,
            projector: settings.projector_connections,
            reader: settings.reader_connections,
        };
        let pools = Pools::connect(&url.options()?, sizes).await?;
        let runtime = Runtime { pools, settings, cancel };
        runtime.check().await?;
        tracing::info!(roles = %runtime.settings.roles, "serving");
        let sides = sides(&runtime).await?;
        run(&runtime, sides.tasks).await?;
        close(sides.engine).await;
        runtime.pools.close().await;
        tracing::info!("stopped");
        Ok(Exit::Done)
    }
}
