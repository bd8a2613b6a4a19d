//! The accounts and transactions of a Czech bank (PKDD'99 Discovery Challenge).

pub mod plan;
pub mod read;

use std::path::Path;
use std::sync::Arc;

use daybook_command::Engine;
use daybook_domain::context::Actor;
use rust_decimal::Decimal;
use sqlx::PgPool;
use uuid::Uuid;

use super::progress;
use super::report::{Check, ImportError, Report};
use super::submit;

/// Reads and checks the files in `folder`, and submits their commands.
///
/// # Errors
/// A file cannot be read. What single lines have wrong is in the report.
pub async fn import(engine: Arc<Engine>, berka: &read::Berka) -> Report {
    let mut report = Report { wrong: berka.wrong.clone(), ..Report::default() };
    let commands: Vec<_> =
        plan::commands(berka).map(|planned| (planned.source, Ok(planned.line))).collect();
    let bar = progress::bar(commands.len() as u64, "importing");
    let stream = futures::stream::iter(commands);
    submit::submit(engine, Actor::importer(), "transactions.tsv", stream, &bar, &mut report).await;
    bar.finish_and_clear();
    report
}

/// Reads and checks the files, without sending anything.
///
/// # Errors
/// A file cannot be read.
pub fn read(folder: &Path) -> Result<read::Berka, ImportError> {
    read::read(folder)
}

/// Compares what was posted with the bank's own figures: the closing balance of
/// every account, and the balance after every transaction.
///
/// # Errors
/// The read tables cannot be read.
pub async fn compare(pool: &PgPool, berka: &read::Berka) -> Result<Vec<Check>, ImportError> {
    let ids = berka.accounts.keys().map(|number| plan::id("account", *number)).collect();
    let balances =
        berka.accounts.values().map(|account| Decimal::new(account.closing_balance, 2)).collect();
    let closing = differing(pool, include_str!("closing.sql"), ids, balances).await?;
    let ids = berka.transactions.iter().map(|(_, t)| plan::id("transaction", t.trans_id)).collect();
    let balances =
        berka.transactions.iter().map(|(_, t)| Decimal::new(t.balance_after, 2)).collect();
    let after = differing(pool, include_str!("after.sql"), ids, balances).await?;
    Ok(vec![
        Check {
            what: "closing balances, ours and the bank's".to_owned(),
            compared: berka.accounts.len() as u64,
            different: closing,
        },
        Check {
            what: "balances after each transaction, ours and the bank's".to_owned(),
            compared: berka.transactions.len() as u64,
            different: after,
        },
    ])
}

async fn differing(
    pool: &PgPool,
    sql: &'static str,
    ids: Vec<Uuid>,
    balances: Vec<Decimal>,
) -> Result<u64, ImportError> {
    let count: i64 = sqlx::query_scalar(sql).bind(ids).bind(balances).fetch_one(pool).await?;
    Ok(count.unsigned_abs())
}
