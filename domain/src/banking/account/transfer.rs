//! A transfer between two accounts here: one decision on both, so that money
//! neither appears nor vanishes.

use uuid::Uuid;

use super::commands::{Movement, Transfer};
use super::decide::open_book;
use super::events::{TransferredIn, TransferredOut};
use super::posting::{credit, debit};
use super::{Account, AccountError, AccountEvent};
use crate::context::Context;
use crate::values::TransactionType;

/// What a transfer does to its two accounts, to be appended in one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Transferred {
    /// The event of the account that the money leaves.
    pub source: AccountEvent,
    /// The event of the account that the money goes to.
    pub target: AccountEvent,
}

/// Decides a transfer from `source` (whose id is `source_id`) to `target`, the
/// state of the account that the command names.
///
/// Both events carry the same transfer id, amount and currency, and each the
/// other's account. An id given with the command is that of the debit.
///
/// # Errors
/// The rule of either account that forbids it. What is refused because of the
/// target never tells its balance.
pub fn transfer(
    source: &Account,
    source_id: Uuid,
    target: &Account,
    command: &Transfer,
    context: &Context,
) -> Result<Transferred, AccountError> {
    let target_id = command.to_account_id;
    let from = open_book(source)?;
    if source_id == target_id {
        return Err(AccountError::SameAccount { account_id: target_id });
    }
    let to = open_book(target).map_err(|refusal| match refusal {
        AccountError::Unknown => AccountError::TargetUnknown { account_id: target_id },
        _ => AccountError::TargetNotOpen { account_id: target_id },
    })?;
    if from.currency != to.currency {
        return Err(AccountError::TargetCurrency {
            source_currency: from.currency,
            target_currency: to.currency,
        });
    }
    let movement = command.movement();
    let mut out = debit(from, &movement, TransactionType::Transfer, context)?;
    out.transfer_id = Some(context.fresh_id(2));
    out.counterparty_account_id = Some(target_id);

    let amount = command.amount;
    let counter = Movement { transaction_id: Some(context.fresh_id(1)), ..movement };
    let mut into = credit(to, &counter, TransactionType::Transfer, context)
        .map_err(|_| AccountError::TargetFull { account_id: target_id, amount })?;
    into.id_given = false;
    into.transfer_id = out.transfer_id;
    into.counterparty_account_id = Some(source_id);

    Ok(Transferred { source: TransferredOut(out).into(), target: TransferredIn(into).into() })
}
