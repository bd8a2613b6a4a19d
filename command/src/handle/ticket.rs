//! Commands of tickets. Opening one rests on its user being active, and naming
//! who works on it on that person being so.

use std::collections::BTreeMap;

use daybook_domain::identity::user::User;
use daybook_domain::support::ticket::{Ticket, TicketCommand, TicketFacts};

use super::{Decided, Work};
use crate::engine::Attempt;
use crate::error::CommandError;

/// One attempt at a command of a ticket.
pub(crate) async fn attempt(
    work: &mut Work<'_>,
    command: &TicketCommand,
) -> Result<Attempt, CommandError> {
    // Whom a command names, it names whatever the ticket's state is.
    let named = Ticket::default().reads(command);
    if named.is_empty() {
        return super::plain::<Ticket>(work, command).await;
    }
    for user in &named {
        work.apart_from(*user)?;
    }
    let mut unit = work.hold::<Ticket>(&named).await?;
    let mut users = BTreeMap::new();
    for user in &named {
        users.insert(*user, unit.load::<User>(*user).await?.clone());
    }
    let facts = TicketFacts { users };
    let decided = work.decide::<Ticket>(&unit, command, &facts);
    work.conclude(unit, decided.map(|events| Decided::<Ticket>::guarding_all(events, named)))
}
