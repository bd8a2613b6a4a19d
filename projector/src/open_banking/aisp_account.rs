//! `aisp_accounts` and `aisp_transactions`, both written from the account's stream alone. A
//! transaction's row has an id that follows from the account and the bank's own id of it.

use chrono::{DateTime, NaiveDate, Utc};
use daybook_domain::open_banking::aisp_account::events::{Consent, Linked, Transaction};
use daybook_domain::open_banking::aisp_account::{AispAccountEvent, transaction_row};
use daybook_domain::values::Money;
use daybook_store::Recorded;
use uuid::Uuid;

use crate::catalog::{Rows, Touched};
use crate::rows::Fault;
use crate::table::Hundredths;

crate::table! {
    /// A row of `aisp_accounts`.
    pub struct AispAccountRow in "aisp_accounts", key (id: Uuid), entity id;
    id: Uuid,
    user_id: Uuid,
    bank_id: String,
    account_id: String,
    account_type: String,
    currency: String,
    balance: Option<Hundredths>,
    available_balance: Option<Hundredths>,
    last_updated: DateTime<Utc>,
    consent_id: Option<String>,
    consent_granted: Option<DateTime<Utc>>,
    consent_expires: Option<DateTime<Utc>>,
    unlinked_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: Uuid,
    updated_by: Uuid,
}

crate::table! {
    /// A row of `aisp_transactions`.
    pub struct AispTransactionRow in "aisp_transactions", key (id: Uuid), entity id, month transaction_date;
    id: Uuid,
    account_id: Uuid,
    transaction_id: String,
    amount: Hundredths,
    currency: String,
    description: Option<String>,
    merchant_name: Option<String>,
    category: Option<String>,
    transaction_date: NaiveDate,
    booking_date: Option<NaiveDate>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: Uuid,
    updated_by: Uuid,
}

/// The rows of an event.
pub fn touches(event: &AispAccountEvent, recorded: &Recorded, touched: &mut Touched) {
    let account = recorded.stream_id;
    match event {
        AispAccountEvent::Linked(_) => touched.aisp_accounts.makes((account,)),
        AispAccountEvent::TransactionsRecorded(event) => {
            touched.aisp_accounts.needs((account,));
            for transaction in &event.transactions {
                let id = transaction_row(account, &transaction.transaction_id);
                touched.aisp_transactions.makes((id,));
            }
        }
        AispAccountEvent::Categorized(event) => {
            touched.aisp_transactions.needs((transaction_row(account, &event.transaction_id),));
        }
        AispAccountEvent::ConsentRenewed(_)
        | AispAccountEvent::ConsentRevoked(_)
        | AispAccountEvent::ConsentExpired(_)
        | AispAccountEvent::BalanceRecorded(_)
        | AispAccountEvent::Unlinked(_) => touched.aisp_accounts.needs((account,)),
    }
}

/// What an event makes of the rows.
///
/// # Errors
/// When the rows are not as the events before left them.
pub fn project(
    event: &AispAccountEvent,
    recorded: &Recorded,
    rows: &mut Rows,
) -> Result<(), Fault> {
    match event {
        AispAccountEvent::Linked(event) => linked(event, recorded, rows),
        AispAccountEvent::ConsentRenewed(event) => {
            change(recorded, rows, |account| may_be_read(account, Some(&event.0)))
        }
        AispAccountEvent::ConsentRevoked(_) | AispAccountEvent::ConsentExpired(_) => {
            change(recorded, rows, |account| may_be_read(account, None))
        }
        AispAccountEvent::BalanceRecorded(event) => change(recorded, rows, |account| {
            account.balance = Some(hundredths(event.balance));
            account.available_balance = event.available_balance.map(hundredths);
            account.last_updated = event.read_at;
        }),
        AispAccountEvent::TransactionsRecorded(event) => {
            for transaction in &event.transactions {
                read(transaction, recorded, rows)?;
            }
            change(recorded, rows, |account| account.last_updated = event.read_at)
        }
        AispAccountEvent::Categorized(event) => {
            let id = transaction_row(recorded.stream_id, &event.transaction_id);
            rows.aisp_transactions.update(&(id,), |transaction| {
                transaction.category = event.category.as_ref().map(|text| text.as_str().to_owned());
                transaction.updated_at = recorded.recorded_at;
                transaction.updated_by = recorded.metadata.actor_id;
            })
        }
        AispAccountEvent::Unlinked(_) => change(recorded, rows, |account| {
            may_be_read(account, None);
            account.unlinked_at = Some(recorded.happened_at());
        }),
    }
}

fn linked(event: &Linked, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let actor = recorded.metadata.actor_id;
    let mut account = AispAccountRow {
        id: recorded.stream_id,
        user_id: event.user_id,
        bank_id: event.bank_id.as_str().to_owned(),
        account_id: event.account_id.as_str().to_owned(),
        account_type: event.account_type.as_str().to_owned(),
        currency: event.currency.as_str().to_owned(),
        balance: None,
        available_balance: None,
        last_updated: recorded.happened_at(),
        consent_id: None,
        consent_granted: None,
        consent_expires: None,
        unlinked_at: None,
        created_at: recorded.recorded_at,
        updated_at: recorded.recorded_at,
        created_by: actor,
        updated_by: actor,
    };
    may_be_read(&mut account, Some(&event.consent));
    rows.aisp_accounts.insert(account)
}

fn may_be_read(account: &mut AispAccountRow, consent: Option<&Consent>) {
    account.consent_id = consent.map(|consent| consent.consent_id.as_str().to_owned());
    account.consent_granted = consent.map(|consent| consent.consent_granted);
    account.consent_expires = consent.map(|consent| consent.consent_expires);
}

fn read(transaction: &Transaction, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let actor = recorded.metadata.actor_id;
    rows.aisp_transactions.insert(AispTransactionRow {
        id: transaction_row(recorded.stream_id, &transaction.transaction_id),
        account_id: recorded.stream_id,
        transaction_id: transaction.transaction_id.as_str().to_owned(),
        amount: hundredths(transaction.amount.money()),
        currency: transaction.currency.as_str().to_owned(),
        description: transaction.description.as_ref().map(|text| text.as_str().to_owned()),
        merchant_name: transaction.merchant_name.as_ref().map(|text| text.as_str().to_owned()),
        category: transaction.category.as_ref().map(|text| text.as_str().to_owned()),
        transaction_date: transaction.transaction_date,
        booking_date: transaction.booking_date,
        created_at: recorded.recorded_at,
        updated_at: recorded.recorded_at,
        created_by: actor,
        updated_by: actor,
    })
}

fn hundredths(money: Money) -> Hundredths {
    Hundredths(money.hundredths())
}

fn change(
    recorded: &Recorded,
    rows: &mut Rows,
    change: impl FnOnce(&mut AispAccountRow),
) -> Result<(), Fault> {
    rows.aisp_accounts.update(&(recorded.stream_id,), |account| {
        change(account);
        account.updated_at = recorded.recorded_at;
        account.updated_by = recorded.metadata.actor_id;
    })
}
