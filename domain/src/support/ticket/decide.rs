//! The rules of tickets.

use uuid::Uuid;

use super::commands::{Assign, Close, Open, Reopen, Resolve, Triage};
use super::events::{
    Assigned, Awaited, Closed, Noted, Opened, Reopened, Requeued, Resolved, Started, Triaged,
};
use super::{Case, Ticket, TicketCommand, TicketError, TicketEvent, TicketFacts};
use crate::context::{Actor, Context};
use crate::values::{TicketStatus, UserStatus};

type Decision = Result<Vec<TicketEvent>, TicketError>;

pub(super) fn decide(
    ticket: &Ticket,
    command: &TicketCommand,
    facts: &TicketFacts,
    context: &Context,
) -> Decision {
    match command {
        TicketCommand::Open(command) => open(ticket, command, facts, &context.actor),
        TicketCommand::Triage(command) => triage(known(ticket)?, command),
        TicketCommand::Assign(command) => assign(known(ticket)?, command, facts),
        TicketCommand::Start(_) => to(known(ticket)?, TicketStatus::InProgress, Started {}),
        TicketCommand::Await(command) => {
            to(known(ticket)?, command.on.status(), Awaited { on: command.on })
        }
        TicketCommand::Requeue(_) => to(known(ticket)?, TicketStatus::Open, Requeued {}),
        TicketCommand::Note(command) => {
            known(ticket)?;
            one(Noted { text: command.text.clone() })
        }
        TicketCommand::Resolve(command) => resolve(known(ticket)?, command),
        TicketCommand::Reopen(command) => reopen(known(ticket)?, command, context),
        TicketCommand::Close(command) => close(known(ticket)?, command, context),
    }
}

fn one(event: impl Into<TicketEvent>) -> Decision {
    Ok(vec![event.into()])
}

fn known(ticket: &Ticket) -> Result<&Case, TicketError> {
    ticket.case().ok_or(TicketError::Unknown)
}

fn open(ticket: &Ticket, command: &Open, facts: &TicketFacts, actor: &Actor) -> Decision {
    if ticket.case().is_some() {
        return Err(TicketError::AlreadyOpened);
    }
    let user_id = command.user_id;
    match status(facts, user_id).ok_or(TicketError::UserUnknown { user_id })? {
        UserStatus::Active => {}
        status @ (UserStatus::Inactive | UserStatus::Suspended | UserStatus::Deleted) => {
            return Err(TicketError::UserNotActive { user_id, status });
        }
    }
    let assigns = command.assigned_to.is_some() || command.assigned_group.is_some();
    if assigns && !actor.is_manager() {
        return Err(TicketError::AssigningNeedsManager { role: actor.role });
    }
    can_work(facts, command.assigned_to)?;
    one(Opened {
        user_id,
        title: command.title.clone(),
        description: command.description.clone(),
        priority: command.priority,
        category: command.category.clone(),
        assigned_to: command.assigned_to,
        assigned_group: command.assigned_group.clone(),
    })
}

fn status(facts: &TicketFacts, user_id: Uuid) -> Option<UserStatus> {
    facts.users.get(&user_id).and_then(|user| user.status())
}

/// Refuses a person who is not active.
fn can_work(facts: &TicketFacts, person: Option<Uuid>) -> Result<(), TicketError> {
    let Some(user_id) = person else { return Ok(()) };
    match status(facts, user_id) {
        None => Err(TicketError::AssigneeUnknown { user_id }),
        Some(UserStatus::Active) => Ok(()),
        Some(status @ (UserStatus::Inactive | UserStatus::Suspended | UserStatus::Deleted)) => {
            Err(TicketError::AssigneeNotActive { user_id, status })
        }
    }
}

fn triage(case: &Case, command: &Triage) -> Decision {
    if (command.priority, &command.category) == (case.priority, &case.category) {
        return Ok(vec![]);
    }
    not_closed(case)?;
    one(Triaged { priority: command.priority, category: command.category.clone() })
}

/// Also while it is resolved: whoever solved it may be named afterwards.
fn assign(case: &Case, command: &Assign, facts: &TicketFacts) -> Decision {
    if (command.assigned_to, &command.assigned_group) == (case.assigned_to, &case.assigned_group) {
        return Ok(vec![]);
    }
    not_closed(case)?;
    if command.assigned_to != case.assigned_to {
        can_work(facts, command.assigned_to)?;
    }
    one(Assigned {
        assigned_to: command.assigned_to,
        assigned_group: command.assigned_group.clone(),
    })
}

fn not_closed(case: &Case) -> Result<(), TicketError> {
    match case.status {
        TicketStatus::Closed => Err(TicketError::NotOpen { status: case.status }),
        TicketStatus::Open
        | TicketStatus::InProgress
        | TicketStatus::AwaitingUser
        | TicketStatus::AwaitingVendor
        | TicketStatus::AwaitingProblem
        | TicketStatus::AwaitingEvidence
        | TicketStatus::Resolved => Ok(()),
    }
}

/// From one open state to another.
fn to(case: &Case, status: TicketStatus, event: impl Into<TicketEvent>) -> Decision {
    if !case.status.is_open() {
        return Err(TicketError::NotOpen { status: case.status });
    }
    if case.status == status { Ok(vec![]) } else { one(event) }
}

fn resolve(case: &Case, command: &Resolve) -> Decision {
    match case.status {
        TicketStatus::Resolved => Ok(vec![]),
        TicketStatus::Closed => Err(TicketError::NotOpen { status: case.status }),
        TicketStatus::Open
        | TicketStatus::InProgress
        | TicketStatus::AwaitingUser
        | TicketStatus::AwaitingVendor
        | TicketStatus::AwaitingProblem
        | TicketStatus::AwaitingEvidence => {
            one(Resolved { resolution: command.resolution.clone() })
        }
    }
}

fn reopen(case: &Case, command: &Reopen, context: &Context) -> Decision {
    if case.status.is_open() {
        return Ok(vec![]);
    }
    let asked_at = context.occurred();
    if let (Some(closed_at), Some(until)) = (case.closed_at, case.reopens_until())
        && asked_at > until
    {
        return Err(TicketError::ReopenTooLate { closed_at, asked_at });
    }
    one(Reopened { reason: command.reason.clone() })
}

fn close(case: &Case, command: &Close, context: &Context) -> Decision {
    if case.status == TicketStatus::Closed {
        return Ok(vec![]);
    }
    one(Closed { closed_at: context.occurred(), reason: command.reason.clone() })
}
