//! What is offered, and who has it.

pub mod service;
pub mod subscription;
