//! `daybook doctor`.

use clap::Args;

use super::output::{self, Output};
use super::{Exit, Failure, Outcome, Session};
use crate::dev::{Preparation, ensure_database};
use crate::doctor::{Depth, Finding, State, examine};

/// Check this installation, and say how to mend what is wrong
#[derive(Debug, Args)]
#[command(
    after_help = "Exits with 1 when a check fails; warnings do not count.\n\nExample: daybook doctor --deep --output json"
)]
pub(super) struct Doctor {
    /// Read the whole log, not only its newest events
    #[arg(long)]
    deep: bool,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

impl Doctor {
    pub(super) async fn run(self, session: Session) -> Outcome {
        let depth = if self.deep { Depth::Whole } else { Depth::Sample };
        let clock = || std::time::SystemTime::now().into();
        let findings = match ensure_database(&session.settings, Preparation::AsItIs).await {
            Ok(database) => {
                let findings = examine(&database, &session.settings, depth, clock).await;
                database.close().await?;
                findings
            }
            Err(error) => {
                vec![Finding::fail("database", error.to_string(), "what was found says how")]
            }
        };
        output::rows(self.output, ["", "CHECK", "FOUND", "TO MEND"], &findings, |finding| {
            let mark = match finding.state {
                State::Ok => "ok",
                State::Warn => "warn",
                State::Fail => "FAIL",
            };
            [mark.into(), finding.check.into(), finding.detail.clone(), finding.mend.clone()]
        })?;
        let failed = findings.iter().filter(|finding| finding.state == State::Fail).count();
        if failed == 0 {
            Ok(Exit::Done)
        } else {
            Err(Failure::failed(format!("{failed} checks failed")))
        }
    }
}
