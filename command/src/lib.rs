//! The write side: HTTP in, load, decide, append, answer.
//!
//! [`engine::Engine`] is the whole of it; `http` puts it on the network.

pub mod batch;
pub mod cache;
pub mod engine;
pub mod error;
mod fields;
pub mod founding;
mod handle;
pub mod http;
pub mod load;
pub mod order;
pub mod passwords;
mod refused;
pub mod retell;
pub mod secrets;
pub mod sequence;
mod sign_in;
mod unit;

pub use engine::{Accepted, Engine, World};
pub use error::CommandError;
pub use order::{AnyCommand, Intake, Order};
pub use sign_in::SignIn;
