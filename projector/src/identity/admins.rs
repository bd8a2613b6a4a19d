//! The roster of administrators has no table: who is an administrator is `users.role`, posted from
//! the user's own stream. The roster is there for decisions only.

use daybook_domain::identity::admins::AdminsEvent;
use daybook_store::Recorded;

use crate::catalog::{Rows, Touched};
use crate::rows::Fault;

/// No rows.
pub fn touches(event: &AdminsEvent, _recorded: &Recorded, _touched: &mut Touched) {
    match event {
        AdminsEvent::Added(_) | AdminsEvent::Removed(_) => {}
    }
}

/// Changes nothing.
///
/// # Errors
/// None.
pub fn project(event: &AdminsEvent, _recorded: &Recorded, _rows: &mut Rows) -> Result<(), Fault> {
    match event {
        AdminsEvent::Added(_) | AdminsEvent::Removed(_) => Ok(()),
    }
}
