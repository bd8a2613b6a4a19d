//! Organizations, their members and what they have.

pub mod billing_account;
pub mod organization;
pub mod resource;
