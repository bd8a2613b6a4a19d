//! Checks of an installation: what holds, what does not, and how to mend it.

mod kafka;
mod log;
mod posting;
mod schema;
mod server;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::config::Settings;
use crate::dev::Database;

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Ok,
    /// It works, but somebody should look.
    Warn,
    /// It does not work, or not for long.
    Fail,
}

/// One check.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// What was checked.
    pub check: &'static str,
    /// What was found.
    pub state: State,
    /// In words, with numbers.
    pub detail: String,
    /// How to mend it; empty when there is nothing to mend.
    pub mend: String,
}

impl Finding {
    fn ok(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, state: State::Ok, detail: detail.into(), mend: String::new() }
    }

    fn warn(check: &'static str, detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { check, state: State::Warn, detail: detail.into(), mend: mend.into() }
    }

    pub(crate) fn fail(
        check: &'static str,
        detail: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { check, state: State::Fail, detail: detail.into(), mend: mend.into() }
    }
}

/// How much of the log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Its newest events.
    Sample,
    /// All of it.
    Whole,
}

/// Checks everything. A check that cannot be made for want of an earlier one is left out; the earlier
/// one says why. `now` is this machine's clock.
pub async fn examine(
    database: &Database,
    settings: &Settings,
    depth: Depth,
    now: impl Fn() -> DateTime<Utc>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !server::examine(database, settings, now, &mut findings).await {
        return findings;
    }
    let pools = match database.pools(settings).await {
        Ok(pools) => pools,
        Err(error) => {
            findings.push(Finding::fail(
                "privileges",
                error.to_string(),
                "run `daybook migrate up`, and let DATABASE_URL name daybook_service",
            ));
            return findings;
        }
    };
    findings.push(Finding::ok("privileges", "policies bind the service in each of its roles"));
    if schema::examine(&pools, &mut findings).await {
        answered("partitions", schema::partitions(&pools).await, &mut findings);
        answered("log", log::examine(&pools, depth).await, &mut findings);
        answered("projector", posting::examine(&pools).await, &mut findings);
        answered("kafka", kafka::examine(&pools, settings).await, &mut findings);
    }
    pools.close().await;
    findings
}

/// A check whose question could not be asked has failed.
fn answered(
    check: &'static str,
    result: Result<Vec<Finding>, sqlx::Error>,
    findings: &mut Vec<Finding>,
) {
    match result {
        Ok(found) => findings.extend(found),
        Err(error) => findings.push(Finding::fail(
            check,
            error.to_string(),
            "the schema's rights may have been changed by hand; `daybook migrate status` compares it",
        )),
    }
}

type Found = Result<Vec<Finding>, sqlx::Error>;
