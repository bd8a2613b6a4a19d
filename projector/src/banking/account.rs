//! `accounts` and `transactions`: both are written from the account's stream alone; the two halves
//! of a transfer are two transactions, one in each account's stream.

use chrono::{DateTime, Utc};
use daybook_domain::banking::account::AccountEvent;
use daybook_domain::banking::account::events::{Entry, Opened, Settlement};
use daybook_domain::values::{Money, TransactionStatus};
use daybook_store::Recorded;
use uuid::Uuid;

use crate::catalog::{Rows, Touched};
use crate::rows::Fault;
use crate::table::Hundredths;

crate::table! {
    /// A row of `accounts`.
    pub struct AccountRow in "accounts", key (id: Uuid), entity id;
    id: Uuid,
    user_id: Uuid,
    account_name: String,
    account_type: String,
    account_number: String,
    balance: Hundredths,
    currency: String,
    overdraft_limit: Hundredths,
    status: String,
    frozen_at: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: Uuid,
    updated_by: Uuid,
}

crate::table! {
    /// A row of `transactions`.
    pub struct TransactionRow in "transactions", key (id: Uuid), entity id, month transaction_date,
    settled |row| row.status != TransactionStatus::Pending.as_str();
    id: Uuid,
    account_id: Uuid,
    transaction_type: String,
    direction: String,
    amount: Hundredths,
    currency: String,
    balance_after: Option<Hundredths>,
    description: Option<String>,
    reference_number: Option<String>,
    counterparty_bank: Option<String>,
    counterparty_account: Option<String>,
    counterparty_account_id: Option<Uuid>,
    transfer_id: Option<Uuid>,
    status: String,
    status_reason: Option<String>,
    transaction_date: DateTime<Utc>,
    processed_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: Uuid,
    updated_by: Uuid,
}

const ACTIVE: &str = "active";
const FROZEN: &str = "frozen";
const CLOSED: &str = "closed";

/// What an event of an account is about.
enum Sort<'a> {
    Opens,
    Enters(&'a Entry),
    Settles(&'a Settlement),
    Changes,
}

fn sort(event: &AccountEvent) -> Sort<'_> {
    match event {
        AccountEvent::Opened(_) => Sort::Opens,
        AccountEvent::Deposited(event) => Sort::Enters(&event.0),
        AccountEvent::Withdrawn(event) => Sort::Enters(&event.0),
        AccountEvent::FeeCharged(event) => Sort::Enters(&event.0),
        AccountEvent::InterestPosted(event) => Sort::Enters(&event.0),
        AccountEvent::PaymentStarted(event) => Sort::Enters(&event.0),
        AccountEvent::TransferredOut(event) => Sort::Enters(&event.0),
        AccountEvent::TransferredIn(event) => Sort::Enters(&event.0),
        AccountEvent::TransferReceived(event) => Sort::Enters(&event.0),
        AccountEvent::TransferSent(event) => Sort::Enters(&event.0),
        AccountEvent::TransactionCompleted(event) => Sort::Settles(&event.0),
        AccountEvent::TransactionFailed(event) => Sort::Settles(&event.0),
        AccountEvent::TransactionCancelled(event) => Sort::Settles(&event.0),
        AccountEvent::Renamed(_)
        | AccountEvent::OverdraftLimitSet(_)
        | AccountEvent::Frozen(_)
        | AccountEvent::Unfrozen(_)
        | AccountEvent::Closed(_) => Sort::Changes,
    }
}

/// The rows of an event.
pub fn touches(event: &AccountEvent, recorded: &Recorded, touched: &mut Touched) {
    let account = (recorded.stream_id,);
    match sort(event) {
        Sort::Opens => touched.accounts.makes(account),
        Sort::Enters(entry) => {
            touched.accounts.needs(account);
            touched.transactions.makes((entry.transaction_id,));
        }
        Sort::Settles(settlement) => {
            touched.accounts.needs(account);
            touched.transactions.needs((settlement.transaction_id,));
        }
        Sort::Changes => touched.accounts.needs(account),
    }
}

/// What an event makes of the rows.
///
/// # Errors
/// When the rows are not as the events before left them.
pub fn project(event: &AccountEvent, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let happened_at = recorded.happened_at();
    match event {
        AccountEvent::Opened(event) => opened(event, recorded, rows),
        AccountEvent::Renamed(event) => change(recorded, rows, |account| {
            account.account_name = event.account_name.as_str().to_owned();
        }),
        AccountEvent::Deposited(event) => entered(&event.0, recorded, rows),
        AccountEvent::Withdrawn(event) => entered(&event.0, recorded, rows),
        AccountEvent::FeeCharged(event) => entered(&event.0, recorded, rows),
        AccountEvent::InterestPosted(event) => entered(&event.0, recorded, rows),
        AccountEvent::PaymentStarted(event) => entered(&event.0, recorded, rows),
        AccountEvent::TransferredOut(event) => entered(&event.0, recorded, rows),
        AccountEvent::TransferredIn(event) => entered(&event.0, recorded, rows),
        AccountEvent::TransferReceived(event) => entered(&event.0, recorded, rows),
        AccountEvent::TransferSent(event) => entered(&event.0, recorded, rows),
        AccountEvent::TransactionCompleted(event) => settled(&event.0, recorded, rows),
        AccountEvent::TransactionFailed(event) => settled(&event.0, recorded, rows),
        AccountEvent::TransactionCancelled(event) => settled(&event.0, recorded, rows),
        AccountEvent::OverdraftLimitSet(event) => change(recorded, rows, |account| {
            account.overdraft_limit = Hundredths(event.overdraft_limit.hundredths());
        }),
        AccountEvent::Frozen(_) => change(recorded, rows, |account| {
            account.status = FROZEN.to_owned();
            account.frozen_at = Some(happened_at);
        }),
        AccountEvent::Unfrozen(_) => change(recorded, rows, |account| {
            account.status = ACTIVE.to_owned();
            account.frozen_at = None;
        }),
        AccountEvent::Closed(_) => change(recorded, rows, |account| {
            account.status = CLOSED.to_owned();
            account.closed_at = Some(happened_at);
        }),
    }
}

fn opened(event: &Opened, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let actor = recorded.metadata.actor_id;
    rows.accounts.insert(AccountRow {
        id: recorded.stream_id,
        user_id: event.user_id,
        account_name: event.account_name.as_str().to_owned(),
        account_type: event.account_type.to_string(),
        account_number: event.account_number.as_str().to_owned(),
        balance: Hundredths(0),
        currency: event.currency.as_str().to_owned(),
        overdraft_limit: Hundredths(event.overdraft_limit.hundredths()),
        status: ACTIVE.to_owned(),
        frozen_at: None,
        closed_at: None,
        created_at: recorded.recorded_at,
        updated_at: recorded.recorded_at,
        created_by: actor,
        updated_by: actor,
    })
}

fn entered(entry: &Entry, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let actor = recorded.metadata.actor_id;
    let happened_at = recorded.happened_at();
    let completed = entry.status == TransactionStatus::Completed;
    rows.transactions.insert(TransactionRow {
        id: entry.transaction_id,
        account_id: recorded.stream_id,
        transaction_type: entry.transaction_type.to_string(),
        direction: entry.direction.to_string(),
        amount: Hundredths(entry.amount.hundredths()),
        currency: entry.currency.as_str().to_owned(),
        balance_after: completed.then(|| hundredths(entry.balance_after)),
        description: entry.description.as_ref().map(|text| text.as_str().to_owned()),
        reference_number: entry.reference_number.as_ref().map(|text| text.as_str().to_owned()),
        counterparty_bank: entry.counterparty_bank.as_ref().map(|text| text.as_str().to_owned()),
        counterparty_account: entry
            .counterparty_account
            .as_ref()
            .map(|text| text.as_str().to_owned()),
        counterparty_account_id: entry.counterparty_account_id,
        transfer_id: entry.transfer_id,
        status: entry.status.to_string(),
        status_reason: None,
        transaction_date: happened_at,
        processed_at: completed.then_some(happened_at),
        created_at: recorded.recorded_at,
        updated_at: recorded.recorded_at,
        created_by: actor,
        updated_by: actor,
    })?;
    // A pending transaction does not count in the balance: the account's row stays as it is.
    if completed {
        change(recorded, rows, |account| account.balance = hundredths(entry.balance_after))?;
    }
    Ok(())
}

fn settled(settlement: &Settlement, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let completed = settlement.status == TransactionStatus::Completed;
    rows.transactions.update(&(settlement.transaction_id,), |transaction| {
        transaction.status = settlement.status.to_string();
        transaction.status_reason =
            settlement.reason.as_ref().map(|reason| reason.as_str().to_owned());
        transaction.processed_at = Some(recorded.happened_at());
        transaction.balance_after = completed.then(|| hundredths(settlement.balance_after));
        transaction.updated_at = recorded.recorded_at;
        transaction.updated_by = recorded.metadata.actor_id;
    })?;
    if completed {
        change(recorded, rows, |account| account.balance = hundredths(settlement.balance_after))?;
    }
    Ok(())
}

fn hundredths(money: Money) -> Hundredths {
    Hundredths(money.hundredths())
}

fn change(
    recorded: &Recorded,
    rows: &mut Rows,
    change: impl FnOnce(&mut AccountRow),
) -> Result<(), Fault> {
    rows.accounts.update(&(recorded.stream_id,), |account| {
        change(account);
        account.updated_at = recorded.recorded_at;
        account.updated_by = recorded.metadata.actor_id;
    })
}
