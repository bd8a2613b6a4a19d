//! Real data through real commands: validated before, compared after, safe to repeat.

pub mod api_contracts;
pub mod berka;
pub mod cloudwatch;
pub mod incidents;
pub mod plan;
pub mod progress;
pub mod report;
pub mod source;
pub mod stackexchange;
pub mod submit;

pub use report::{ImportError, Report, Wrong};
pub use source::Source;
