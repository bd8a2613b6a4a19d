//! What belongs to the platform itself.

pub mod audit_log;
pub mod notification;
pub mod setting;
