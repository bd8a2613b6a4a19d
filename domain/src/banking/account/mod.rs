//! An account: a balance, and the rules by which money comes and goes.

pub mod commands;
pub mod events;

pub use commands::AccountCommand;
pub use events::AccountEvent;
