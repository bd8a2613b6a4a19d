//! Users and their keys.

mod api_key;
mod user;
