//! A ticket: something that a user needs help with, until it is solved.
//!
//! From any open state it goes to any other, to resolved or to closed; what is
//! resolved goes back at any time, what is closed only for a while. Who works
//! on it is a person, a group, both or nobody. Absent on purpose: the notes'
//! texts, which nothing is decided on; they are in the log.

pub mod commands;
mod decide;
pub mod errors;
pub mod events;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::Owned;
use crate::aggregate::{Aggregate, Effects, Lifecycle};
use crate::context::Context;
use crate::identity::user::User;
use crate::values::{Text, TicketPriority, TicketStatus};

pub use commands::TicketCommand;
pub use errors::TicketError;
pub use events::TicketEvent;

/// For how many days a closed ticket may be opened again.
pub const REOPEN_DAYS: i64 = 30;

/// A ticket as its events left it; nothing before the first one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ticket(Option<Case>);

/// A ticket that was opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// The user who needs help.
    pub user_id: Uuid,
    /// Where it stands.
    pub status: TicketStatus,
    /// How much it matters.
    pub priority: TicketPriority,
    /// What sort of thing it is about.
    pub category: Option<Text<50>>,
    /// The person who works on it.
    pub assigned_to: Option<Uuid>,
    /// The group that works on it.
    pub assigned_group: Option<Text<100>>,
    /// When it was closed, while it is.
    pub closed_at: Option<DateTime<Utc>>,
}

/// What a ticket must know of others, read under guards.
#[derive(Debug, Clone, Default)]
pub struct TicketFacts {
    /// The states of the users that [`Ticket::reads`] names; an empty one: there is no such user.
    pub users: BTreeMap<Uuid, User>,
}

impl Ticket {
    /// The ticket, once opened.
    #[must_use]
    pub fn case(&self) -> Option<&Case> {
        self.0.as_ref()
    }

    /// The users whose states the command's decision must know.
    #[must_use]
    pub fn reads(&self, command: &TicketCommand) -> Vec<Uuid> {
        match command {
            TicketCommand::Open(command) => {
                std::iter::once(command.user_id).chain(command.assigned_to).collect()
            }
            TicketCommand::Assign(command) => command.assigned_to.into_iter().collect(),
            TicketCommand::Triage(_)
            | TicketCommand::Start(_)
            | TicketCommand::Await(_)
            | TicketCommand::Requeue(_)
            | TicketCommand::Note(_)
            | TicketCommand::Resolve(_)
            | TicketCommand::Reopen(_)
            | TicketCommand::Close(_) => Vec::new(),
        }
    }
}

impl Case {
    /// Until when it may be opened again; `None`: at any time.
    #[must_use]
    pub fn reopens_until(&self) -> Option<DateTime<Utc>> {
        self.closed_at.map(|closed_at| closed_at + Duration::days(REOPEN_DAYS))
    }
}

impl Owned for Ticket {
    fn owner(&self, _: Uuid, command: &TicketCommand) -> Option<Uuid> {
        match (&self.0, command) {
            (Some(case), _) => Some(case.user_id),
            (None, TicketCommand::Open(command)) => Some(command.user_id),
            (None, _) => None,
        }
    }
}

impl Aggregate for Ticket {
    const KIND: &'static str = "support.ticket";
    type Command = TicketCommand;
    type Event = TicketEvent;
    type Error = TicketError;
    type Facts = TicketFacts;

    fn decide(
        &self,
        command: &TicketCommand,
        facts: &TicketFacts,
        context: &Context,
    ) -> Result<Vec<TicketEvent>, TicketError> {
        decide::decide(self, command, facts, context)
    }

    fn apply(&mut self, event: &TicketEvent) {
        if let TicketEvent::Opened(event) = event {
            self.0 = Some(Case::opened(event));
        } else if let Some(case) = &mut self.0 {
            case.apply(event);
        }
    }

    /// A ticket never closes as a stream: notes may come at any time.
    fn effects(&self, _: Uuid, event: &TicketEvent) -> Effects {
        match event {
            TicketEvent::Opened(event) => Effects {
                lifecycle: Lifecycle::Opens,
                references: std::iter::once(event.user_id).chain(event.assigned_to).collect(),
                ..Effects::default()
            },
            TicketEvent::Assigned(event) => {
                // Whoever has it already is referred to already, and may have been deleted since.
                let before = self.0.as_ref().and_then(|case| case.assigned_to);
                let new = event.assigned_to.filter(|person| Some(*person) != before);
                Effects { references: new.into_iter().collect(), ..Effects::default() }
            }
            TicketEvent::Triaged(_)
            | TicketEvent::Started(_)
            | TicketEvent::Awaited(_)
            | TicketEvent::Requeued(_)
            | TicketEvent::Noted(_)
            | TicketEvent::Resolved(_)
            | TicketEvent::Reopened(_)
            | TicketEvent::Closed(_) => Effects::default(),
        }
    }
}

impl Case {
    fn opened(event: &events::Opened) -> Self {
        Self {
            user_id: event.user_id,
            status: TicketStatus::Open,
            priority: event.priority,
            category: event.category.clone(),
            assigned_to: event.assigned_to,
            assigned_group: event.assigned_group.clone(),
            closed_at: None,
        }
    }

    fn apply(&mut self, event: &TicketEvent) {
        match event {
            TicketEvent::Opened(event) => *self = Self::opened(event),
            TicketEvent::Triaged(event) => {
                self.priority = event.priority;
                self.category = event.category.clone();
            }
            TicketEvent::Assigned(event) => {
                self.assigned_to = event.assigned_to;
                self.assigned_group = event.assigned_group.clone();
            }
            TicketEvent::Started(_) => self.status = TicketStatus::InProgress,
            TicketEvent::Awaited(event) => self.status = event.on.status(),
            TicketEvent::Requeued(_) => self.status = TicketStatus::Open,
            TicketEvent::Noted(_) => {}
            TicketEvent::Resolved(_) => self.status = TicketStatus::Resolved,
            TicketEvent::Reopened(_) => {
                self.status = TicketStatus::Open;
                self.closed_at = None;
            }
            TicketEvent::Closed(event) => {
                self.status = TicketStatus::Closed;
                self.closed_at = Some(event.closed_at);
            }
        }
    }
}
