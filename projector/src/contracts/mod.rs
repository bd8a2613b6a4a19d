//! API contracts, their aliases, the rules that they are held to, and the trail of all of it.

pub mod api_contract;
pub mod audit_log;
pub mod governance_rule;
pub mod rulebook;
