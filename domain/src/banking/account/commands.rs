//! What can be asked of an account.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{
    AccountNumber, AccountType, Amount, Currency, Description, Direction, OverdraftLimit, Personal,
    Reason, Text,
};

/// Opens an account for a user, with nothing on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// Whose account it is; they must be active.
    pub user_id: Uuid,
    /// What people call it.
    pub account_name: Personal<Text<255>>,
    /// What sort of account it is.
    pub account_type: AccountType,
    /// Its number, unique.
    pub account_number: Personal<AccountNumber>,
    /// The currency of everything on it; `USD` where absent.
    #[serde(default)]
    pub currency: Currency,
    /// How far below zero it may go; not at all where absent.
    #[serde(default)]
    pub overdraft_limit: OverdraftLimit,
}

/// Changes what people call the account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rename {
    /// The new name.
    pub account_name: Personal<Text<255>>,
}

/// Makes the struct of a command that moves money: what all of them say, and what it says besides.
macro_rules! money_command {
    ($(#[$meta:meta])* pub struct $Name:ident { $($(#[$field_meta:meta])* pub $field:ident: $Type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $Name {
            $($(#[$field_meta])* pub $field: $Type,)*
            /// How much: positive, at most two decimals, below 10^13.
            pub amount: Amount,
            /// The currency that is meant; refused where it is not the account's.
            #[serde(default)]
            pub currency: Option<Currency>,
            /// The transaction's id, never used before; made where absent.
            #[serde(default)]
            pub transaction_id: Option<Uuid>,
            /// What it is about.
            #[serde(default)]
            pub description: Option<Personal<Description>>,
            /// Its number elsewhere.
            #[serde(default)]
            pub reference_number: Option<Text<100>>,
        }

        impl $Name {
            /// What every command that moves money says.
            pub(super) fn movement(&self) -> Movement<'_> {
                Movement {
                    amount: self.amount,
                    currency: self.currency,
                    transaction_id: self.transaction_id,
                    description: self.description.as_ref(),
                    reference_number: self.reference_number.as_ref(),
                }
            }
        }
    };
}

/// What every command that moves money says.
pub(super) struct Movement<'a> {
    pub(super) amount: Amount,
    pub(super) currency: Option<Currency>,
    pub(super) transaction_id: Option<Uuid>,
    pub(super) description: Option<&'a Personal<Description>>,
    pub(super) reference_number: Option<&'a Text<100>>,
}

money_command! {
    /// Pays money in.
    pub struct Deposit {}
}

money_command! {
    /// Takes money out.
    pub struct Withdraw {}
}

money_command! {
    /// Charges a fee, which may pass the overdraft limit.
    pub struct ChargeFee {}
}

money_command! {
    /// Posts interest: earned (credit) or owed (debit), which may pass the overdraft limit.
    pub struct PostInterest {
        /// Which way.
        pub direction: Direction,
    }
}

money_command! {
    /// Reserves money for a payment, which is pending until it is completed, failed or cancelled.
    pub struct Pay {
        /// The payee's bank, where there is one.
        #[serde(default)]
        pub counterparty_bank: Option<Text<50>>,
        /// The payee's account, where there is one.
        #[serde(default)]
        pub counterparty_account: Option<Personal<Text<50>>>,
    }
}

money_command! {
    /// Moves money to another account here, of the same currency.
    pub struct Transfer {
        /// The account that the money goes to.
        pub to_account_id: Uuid,
    }
}

money_command! {
    /// Takes in money that came from an account elsewhere.
    pub struct ReceiveTransfer {
        /// The bank that it came from.
        pub counterparty_bank: Text<50>,
        /// The account that it came from.
        pub counterparty_account: Personal<Text<50>>,
    }
}

money_command! {
    /// Sends money to an account elsewhere.
    pub struct SendTransfer {
        /// The bank that it goes to.
        pub counterparty_bank: Text<50>,
        /// The account that it goes to.
        pub counterparty_account: Personal<Text<50>>,
    }
}

/// Settles a pending transaction: its money is gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteTransaction {
    /// The pending transaction.
    pub transaction_id: Uuid,
}

/// Ends a pending transaction that did not work out: its money is free again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailTransaction {
    /// The pending transaction.
    pub transaction_id: Uuid,
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Calls off a pending transaction: its money is free again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelTransaction {
    /// The pending transaction.
    pub transaction_id: Uuid,
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Sets how far below zero the account may go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetOverdraftLimit {
    /// The new limit.
    pub overdraft_limit: OverdraftLimit,
}

/// Stops everything on the account until it is unfrozen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Lets a frozen account go on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unfreeze {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Closes the account for good; there must be nothing on it and nothing pending.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Close {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

crate::commands! {
    /// What can be asked of an account.
    pub enum AccountCommand {
        "open" => Open,
        "rename" => Rename,
        "deposit" => Deposit,
        "withdraw" => Withdraw,
        "charge_fee" => ChargeFee,
        "post_interest" => PostInterest,
        "pay" => Pay,
        "transfer" => Transfer,
        "receive_transfer" => ReceiveTransfer,
        "send_transfer" => SendTransfer,
        "complete_transaction" => CompleteTransaction,
        "fail_transaction" => FailTransaction,
        "cancel_transaction" => CancelTransaction,
        "set_overdraft_limit" => SetOverdraftLimit,
        "freeze" => Freeze,
        "unfreeze" => Unfreeze,
        "close" => Close,
    }
}
