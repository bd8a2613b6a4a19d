//! Real data through real commands: validated before, compared after, safe to repeat.

pub mod berka;
pub mod incidents;
pub mod progress;
pub mod report;
pub mod stackexchange;
pub mod submit;

pub use report::{ImportError, Report, Wrong};
