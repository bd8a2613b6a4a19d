//! What belongs to the platform itself.

pub mod audit_log;
