//! The audit trail as a product: who changed what, as full populations, as pages and as samples that
//! can be drawn again, and how it adds up with the log.
//!
//! What holds: everything here is read under the auditor's policies, in read-only transactions, and only
//! up to a position up to which everything is posted: two reads of one population are the same.

mod filter;
mod form;
mod read;
mod row;
mod sheet;

pub use self::filter::AuditFilter;
pub use self::form::{Form, HEADER, write};
pub use self::read::{AuditError, Counted, Place, Population};
pub use self::row::AuditRow;
pub use self::sheet::{RowSheet, RowStream};
