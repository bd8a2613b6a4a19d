//! The rules of accounts elsewhere.

use std::collections::HashSet;

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::commands::{
    Categorize, Link, ReadTransaction, RecordBalance, RecordTransactions, RenewConsent,
    RevokeConsent, Unlink,
};
use super::events::{
    BalanceRecorded, Categorized, Consent, ConsentExpired, ConsentRenewed, ConsentRevoked, Linked,
    TransactionsRecorded, Unlinked,
};
use super::{
    AispAccount, AispAccountCommand, AispAccountError, AispAccountEvent, AispAccountFacts,
    FIRST_DAY, Link as State, MAX_AHEAD_DAYS, MAX_BATCH,
};
use crate::context::Context;
use crate::values::{Text, UserStatus};

type Decision = Result<Vec<AispAccountEvent>, AispAccountError>;

pub(super) fn decide(
    account: &AispAccount,
    command: &AispAccountCommand,
    facts: &AispAccountFacts,
    context: &Context,
) -> Decision {
    use AispAccountCommand as Asked;
    match command {
        Asked::Link(command) => link(account, command, facts, context),
        Asked::RenewConsent(command) => renew(linked(account)?, command, context),
        Asked::RevokeConsent(command) => revoke(known(account)?, command),
        Asked::ExpireConsent(_) => expire(known(account)?, context),
        Asked::RecordBalance(command) => balance(linked(account)?, command, context),
        Asked::RecordTransactions(command) => {
            transactions(linked(account)?, command, facts, context)
        }
        Asked::Categorize(command) => categorize(linked(account)?, command, facts),
        Asked::Unlink(command) => unlink(known(account)?, command),
    }
}

fn one(event: impl Into<AispAccountEvent>) -> Decision {
    Ok(vec![event.into()])
}

fn known(account: &AispAccount) -> Result<&State, AispAccountError> {
    account.link().ok_or(AispAccountError::Unknown)
}

/// An account that was not unlinked.
fn linked(account: &AispAccount) -> Result<&State, AispAccountError> {
    let link = known(account)?;
    if link.is_linked { Ok(link) } else { Err(AispAccountError::Unlinked) }
}

fn link(
    account: &AispAccount,
    command: &Link,
    facts: &AispAccountFacts,
    context: &Context,
) -> Decision {
    if account.link().is_some() {
        return Err(AispAccountError::AlreadyLinked);
    }
    let user_id = command.user_id;
    let status = facts.user.as_ref().and_then(|user| user.status());
    match status.ok_or(AispAccountError::UserUnknown { user_id })? {
        UserStatus::Active => {}
        status @ (UserStatus::Inactive | UserStatus::Suspended | UserStatus::Deleted) => {
            return Err(AispAccountError::UserNotActive { user_id, status });
        }
    }
    one(Linked {
        user_id,
        bank_id: command.bank_id.clone(),
        account_id: command.account_id.clone(),
        account_type: command.account_type.clone(),
        currency: command.currency,
        consent: consent(&command.consent_id, command.consent_expires, context)?,
    })
}

/// A consent that is given now.
fn consent(
    consent_id: &Text<100>,
    consent_expires: DateTime<Utc>,
    context: &Context,
) -> Result<Consent, AispAccountError> {
    let now = context.occurred();
    if consent_expires <= now {
        return Err(AispAccountError::ConsentPast { consent_expires, now });
    }
    Ok(Consent { consent_id: consent_id.clone(), consent_granted: now, consent_expires })
}

fn renew(link: &State, command: &RenewConsent, context: &Context) -> Decision {
    let same = |known: &Consent| {
        (&known.consent_id, known.consent_expires) == (&command.consent_id, command.consent_expires)
    };
    if link.consent.as_ref().is_some_and(same) {
        return Ok(vec![]);
    }
    one(ConsentRenewed(consent(&command.consent_id, command.consent_expires, context)?))
}

/// Also of one that is over: then nothing can be read that happened before it was.
fn revoke(link: &State, command: &RevokeConsent) -> Decision {
    if link.consent.is_none() {
        return Ok(vec![]);
    }
    one(ConsentRevoked { reason: command.reason.clone() })
}

fn expire(link: &State, context: &Context) -> Decision {
    match &link.consent {
        None => Ok(vec![]),
        Some(consent) if context.now < consent.consent_expires => {
            Err(AispAccountError::ConsentNotDue { expires: consent.consent_expires })
        }
        Some(_) => one(ConsentExpired {}),
    }
}

/// When it was read, if it may have been then.
fn read_at(
    link: &State,
    attended: bool,
    context: &Context,
) -> Result<DateTime<Utc>, AispAccountError> {
    let read_at = context.occurred();
    let consent = link.consent.as_ref().ok_or(AispAccountError::NoConsent)?;
    if !consent.is_good_at(read_at) {
        let (granted, expires) = (consent.consent_granted, consent.consent_expires);
        return Err(AispAccountError::ConsentNotValid { granted, expires, read_at });
    }
    if !attended {
        link.unattended.admit(read_at)?;
    }
    Ok(read_at)
}

/// A reading is news, also where it reads what was there before.
fn balance(link: &State, command: &RecordBalance, context: &Context) -> Decision {
    one(BalanceRecorded {
        attended: command.attended,
        read_at: read_at(link, command.attended, context)?,
        balance: command.balance,
        available_balance: command.available_balance,
    })
}

/// What is told again is left out. Where nothing is left, a reading without the user is recorded all
/// the same: it is one of the few that there may be.
fn transactions(
    link: &State,
    command: &RecordTransactions,
    facts: &AispAccountFacts,
    context: &Context,
) -> Decision {
    let count = command.transactions.len();
    if count > MAX_BATCH {
        return Err(AispAccountError::TooManyTransactions { count });
    }
    let read_at = read_at(link, command.attended, context)?;
    let mut seen = HashSet::new();
    let mut transactions = Vec::new();
    for told in &command.transactions {
        on_a_day(told, read_at.date_naive())?;
        let id = &told.transaction_id;
        if !facts.recorded.contains(id) && seen.insert(id) {
            transactions.push(told.recorded(link.currency));
        }
    }
    if transactions.is_empty() && command.attended {
        return Ok(vec![]);
    }
    one(TransactionsRecorded { attended: command.attended, read_at, transactions })
}

/// Refuses days that are no days of transactions: each month that there are any of has tables of its own.
fn on_a_day(told: &ReadTransaction, read_on: NaiveDate) -> Result<(), AispAccountError> {
    let last = read_on.checked_add_days(Days::new(MAX_AHEAD_DAYS)).unwrap_or(NaiveDate::MAX);
    for day in std::iter::once(told.transaction_date).chain(told.booking_date) {
        if day < FIRST_DAY || day > last {
            let transaction_id = told.transaction_id.clone();
            return Err(AispAccountError::DayOutOfRange { transaction_id, day, read_on });
        }
    }
    Ok(())
}

fn categorize(link: &State, command: &Categorize, facts: &AispAccountFacts) -> Decision {
    let transaction_id = command.transaction_id.clone();
    if !facts.recorded.contains(&transaction_id) {
        return Err(AispAccountError::TransactionUnknown { transaction_id });
    }
    if link.categorized.category_of(&transaction_id) == Some(&command.category) {
        return Ok(vec![]);
    }
    one(Categorized { transaction_id, category: command.category.clone() })
}

fn unlink(link: &State, command: &Unlink) -> Decision {
    if !link.is_linked {
        return Ok(vec![]);
    }
    one(Unlinked { reason: command.reason.clone() })
}
