//! Who there is, and with what they may come in.

pub mod admins;
pub mod api_key;
pub mod permission;
pub mod role;
pub mod session;
pub mod user;
