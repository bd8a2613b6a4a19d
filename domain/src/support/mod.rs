//! Help for users, and the equipment that they work with.

pub mod asset;
pub mod ticket;
