//! Services and subscriptions.

pub mod service;
pub mod subscription;
