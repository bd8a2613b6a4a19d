//! The rulebook has no table: which rules are in effect is `ssot_governance_rules.is_enabled`, posted
//! from each rule's own stream. The rulebook is there for decisions only.

use daybook_domain::contracts::rulebook::RulebookEvent;
use daybook_store::Recorded;

use crate::catalog::{Rows, Touched};
use crate::rows::Fault;

/// No rows.
pub fn touches(event: &RulebookEvent, _recorded: &Recorded, _touched: &mut Touched) {
    match event {
        RulebookEvent::Enforced(_) | RulebookEvent::Lifted(_) => {}
    }
}

/// Changes nothing.
///
/// # Errors
/// None.
pub fn project(event: &RulebookEvent, _recorded: &Recorded, _rows: &mut Rows) -> Result<(), Fault> {
    match event {
        RulebookEvent::Enforced(_) | RulebookEvent::Lifted(_) => Ok(()),
    }
}
