//! An API key: a secret by which programs act for a user.

pub mod commands;
pub mod events;

pub use commands::ApiKeyCommand;
pub use events::ApiKeyEvent;
