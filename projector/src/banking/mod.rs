//! Accounts and what moves on them.

pub mod account;
