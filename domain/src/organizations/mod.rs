//! Organizations: who works together, what they have, and who pays for it.

pub mod billing_account;
pub mod organization;
pub mod resource;
