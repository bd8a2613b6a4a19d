//! What the HTTP interfaces of both sides share: problems, callers, preconditions.

pub mod caller;
pub mod problem;
pub mod query;
pub mod validity;

pub use caller::{Caller, Visitor};
pub use problem::{FieldError, Problem};
pub use query::Params;
pub use validity::StillValid;
