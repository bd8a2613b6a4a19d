//! API contracts, the names that they go by, and the rules that they are held to.

pub mod api_contract;
pub mod governance_rule;
pub mod rulebook;
