//! A user: who signs in, acts and owns.

pub mod commands;
pub mod events;

pub use commands::UserCommand;
pub use events::UserEvent;
