//! Columnar files for other tools: Apache Parquet, with columns of their own types.
//!
//! The same rows give the same bytes: nothing in a file says when or where it was written. Values that
//! PostgreSQL and JSON carry as text are what they are here: UUIDs, timestamps in microseconds, days,
//! decimals.

mod kind;
mod schema;
mod sheet;
mod values;

pub use kind::{Kind, Name};
pub use schema::columns_of;
pub use sheet::{Groups, Sheet, SheetError};
pub use values::Column;
