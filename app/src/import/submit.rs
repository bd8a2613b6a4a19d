//! Sending many commands from a file, and posting what they appended.

use std::sync::Arc;

use daybook_command::Engine;
use daybook_command::batch::{Line, submit_lines};
use daybook_command::error::CommandError;
use daybook_domain::context::Actor;
use daybook_http::Caller;
use futures::{Stream, StreamExt};
use indicatif::ProgressBar;

use super::plan::Planned;
use super::progress;
use super::report::{Report, Wrong};

/// The caller behind a tool of the command line.
#[must_use]
pub fn caller(actor: Actor) -> Caller {
    Caller {
        actor,
        ip_address: None,
        user_agent: Some(concat!("daybook/", env!("CARGO_PKG_VERSION")).to_owned()),
        correlation_id: crate::world::fresh_id(),
        session_id: None,
        traceparent: None,
    }
}

/// Sends the commands of an import, and adds to the report what became of them. They come from
/// the lines of `file`.
pub async fn planned(
    engine: Arc<Engine>,
    file: &'static str,
    commands: Vec<Planned>,
    report: &mut Report,
) {
    in_turn(engine, file, vec![commands], report).await;
}

/// The same group by group: what a group appends comes before everything of the next one.
pub async fn in_turn(
    engine: Arc<Engine>,
    file: &'static str,
    groups: Vec<Vec<Planned>>,
    report: &mut Report,
) {
    let count: usize = groups.iter().map(Vec::len).sum();
    let bar = progress::bar(count as u64, "importing");
    for commands in groups {
        let lines = commands.into_iter().map(|planned| (planned.source, Ok(planned.line)));
        let lines = futures::stream::iter(lines);
        submit(Arc::clone(&engine), Actor::importer(), file, lines, &bar, report).await;
    }
    bar.finish_and_clear();
}

/// Sends the commands and adds to the report what became of them. The number
/// beside each is the line of `file` that it comes from.
pub async fn submit<S>(
    engine: Arc<Engine>,
    actor: Actor,
    file: &'static str,
    commands: S,
    bar: &ProgressBar,
    report: &mut Report,
) where
    S: Stream<Item = (u64, Result<Line, CommandError>)> + Send + 'static,
{
    let mut answers = std::pin::pin!(submit_lines(engine, caller(actor), commands));
    while let Some(answer) = answers.next().await {
        bar.inc(1);
        match answer.outcome {
            Ok(accepted) => {
                report.position = report.position.max(accepted.appended.position);
                if accepted.appended.replayed {
                    report.replayed += 1;
                } else {
                    report.accepted += 1;
                    report.events += accepted.appended.events;
                }
            }
            Err(error) => {
                report.wrong.push(Wrong { file, line: answer.line, reason: error.to_string() });
            }
        }
    }
}
