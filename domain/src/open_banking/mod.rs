//! Accounts at banks elsewhere, read with their holders' consent.

pub mod aisp_account;
