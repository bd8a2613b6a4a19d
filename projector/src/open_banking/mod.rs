//! Accounts at banks elsewhere, and what was read of them.

pub mod aisp_account;
