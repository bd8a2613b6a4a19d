//! Accounts.

mod account;
