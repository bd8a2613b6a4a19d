//! The platform itself: how it is set up, and what it tells its users.

pub mod notification;
pub mod setting;
