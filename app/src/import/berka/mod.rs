//! The accounts and transactions of a Czech bank (PKDD'99 Discovery Challenge).

pub mod plan;
pub mod read;

use std::path::Path;
use std::sync::Arc;

use daybook_command::Engine;
use rust_decimal::Decimal;
use sqlx::PgPool;
use uuid::Uuid;

use super::report::{Check, ImportError, Report};
use super::source::Source;
use super::submit;
use read::Berka;

impl Source for Berka {
    type Told = Report;

    fn read(folder: &Path) -> Result<Self, ImportError> {
        read::read(folder)
    }

    fn told(&self) -> Report {
        Report { wrong: self.wrong.clone(), ..Report::default() }
    }

    fn summary(&self) -> String {
        format!("{} accounts, {} transactions", self.accounts.len(), self.transactions.len())
    }

    async fn import(&self, engine: Arc<Engine>) -> Report {
        let mut report = self.told();
        submit::in_turn(engine, "transactions.tsv", plan::by_month(self), &mut report).await;
        report
    }

    /// With the bank's own figures: the closing balance of every account, and the balance after
    /// every transaction.
    async fn compare(&self, pool: &PgPool) -> Result<Vec<Check>, ImportError> {
        let ids = self.accounts.keys().map(|number| plan::id("account", *number)).collect();
        let balances =
            self.accounts.values().map(|account| Decimal::new(account.closing_balance, 2));
        let closing = differing(pool, include_str!("closing.sql"), ids, balances.collect()).await?;
        let transactions = || self.transactions.iter().map(|(_, transaction)| transaction);
        let ids = transactions().map(|t| plan::id("transaction", t.trans_id)).collect();
        let balances = transactions().map(|t| Decimal::new(t.balance_after, 2)).collect();
        let after = differing(pool, include_str!("after.sql"), ids, balances).await?;
        Ok(vec![
            Check {
                what: "closing balances, ours and the bank's".to_owned(),
                compared: self.accounts.len() as u64,
                different: closing,
            },
            Check {
                what: "balances after each transaction, ours and the bank's".to_owned(),
                compared: self.transactions.len() as u64,
                different: after,
            },
        ])
    }
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
