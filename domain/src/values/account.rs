//! What accounts and their transactions are made of.

use super::{InvalidValue, checked_string, named_values, shown_as_text};

named_values! {
    /// What sort of account it is.
    pub enum AccountType {
        /// For daily use.
        Checking = "checking",
        /// For saving.
        Savings = "savings",
        /// For holding investments.
        Investment = "investment",
        /// A line of credit.
        Credit = "credit",
        /// A loan.
        Loan = "loan",
    }
}

named_values! {
    /// What sort of transaction it is.
    pub enum TransactionType {
        /// Money paid in.
        Deposit = "deposit",
        /// Money taken out.
        Withdrawal = "withdrawal",
        /// Money moved between accounts, here or elsewhere.
        Transfer = "transfer",
        /// A payment to someone, settled later.
        Payment = "payment",
        /// A charge of the bank.
        Fee = "fee",
        /// Interest, earned or owed.
        Interest = "interest",
    }
}

named_values! {
    /// How far a transaction has come.
    pub enum TransactionStatus {
        /// Reserved, not yet settled.
        Pending = "pending",
        /// Settled; it counts in the balance.
        Completed = "completed",
        /// It did not work out; nothing moved.
        Failed = "failed",
        /// Called off; nothing moved.
        Cancelled = "cancelled",
    }
}

named_values! {
    /// Which way money moves, seen from the account.
    pub enum Direction {
        /// Into the account.
        Credit = "credit",
        /// Out of the account.
        Debit = "debit",
    }
}

/// The number by which people know an account: 1 to 50 letters, digits, `.`, `/` and `-`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountNumber(String);

checked_string!(AccountNumber);

impl AccountNumber {
    fn check(text: &str) -> Result<(), InvalidValue> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/' | b'-');
        if text.is_empty() || text.len() > 50 || !text.bytes().all(fits) {
            return Err(InvalidValue::new(
                "an account number of 1 to 50 letters, digits, \".\", \"/\" and \"-\" is allowed",
            ));
        }
        Ok(())
    }
}

shown_as_text! {
    AccountNumber { "type": "string", "pattern": "^[A-Za-z0-9./-]{1,50}$" }
}
