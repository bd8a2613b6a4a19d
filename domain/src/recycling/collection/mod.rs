//! A collection: scheduled, made or not, and then what its materials became.
//!
//! It is weighed when it is made, and what is processed of it never weighs
//! more than that. A day that was missed may be made up for by another.

pub mod commands;
mod decide;
pub mod errors;
pub mod events;
#[cfg(test)]
mod tests;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::Owned;
use crate::aggregate::{Aggregate, Claim, Effects, Lifecycle};
use crate::context::Context;
use crate::identity::user::User;
use crate::values::{CollectionStatus, Weight};

pub use commands::CollectionCommand;
pub use errors::CollectionError;
pub use events::CollectionEvent;

/// The scope of claims on the ids of processings that came from outside.
pub const PROCESSING_CLAIM: &str = "recycling_processing.id";

/// A collection as its events left it; nothing before the first one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Collection(Option<Load>);

/// A collection that was scheduled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// From whom.
    pub customer_id: Uuid,
    /// Where it stands.
    pub status: CollectionStatus,
    /// The day it is to be made.
    pub scheduled_date: NaiveDate,
    /// The day it was made, once it was.
    pub actual_date: Option<NaiveDate>,
    /// What it weighs, once it was made.
    pub weight_kg: Option<Weight>,
    /// What was processed of it so far, in hundredths of a kilogram.
    pub processed: i64,
}

/// What a collection must know of others, read under a guard.
#[derive(Debug, Clone, Default)]
pub struct CollectionFacts {
    /// The state of the customer for whom it is scheduled; `None` or an empty one: there is no such user.
    pub customer: Option<User>,
}

impl Collection {
    /// The collection, once scheduled.
    #[must_use]
    pub fn load(&self) -> Option<&Load> {
        self.0.as_ref()
    }

    /// The user whose state the command's decision must know, if any.
    #[must_use]
    pub fn reads(command: &CollectionCommand) -> Option<Uuid> {
        match command {
            CollectionCommand::Schedule(command) => Some(command.customer_id),
            CollectionCommand::Reschedule(_)
            | CollectionCommand::Complete(_)
            | CollectionCommand::Miss(_)
            | CollectionCommand::Cancel(_)
            | CollectionCommand::RecordProcessing(_) => None,
        }
    }
}

impl Owned for Collection {
    fn owner(&self, _: Uuid, command: &CollectionCommand) -> Option<Uuid> {
        match &self.0 {
            Some(load) => Some(load.customer_id),
            None => Self::reads(command),
        }
    }
}

impl Aggregate for Collection {
    const KIND: &'static str = "recycling.collection";
    type Command = CollectionCommand;
    type Event = CollectionEvent;
    type Error = CollectionError;
    type Facts = CollectionFacts;

    fn decide(
        &self,
        command: &CollectionCommand,
        facts: &CollectionFacts,
        context: &Context,
    ) -> Result<Vec<CollectionEvent>, CollectionError> {
        decide::decide(self, command, facts, context)
    }

    fn apply(&mut self, event: &CollectionEvent) {
        if let CollectionEvent::Scheduled(event) = event {
            self.0 = Some(Load::scheduled(event));
        } else if let Some(load) = &mut self.0 {
            load.apply(event);
        }
    }

    fn effects(&self, _: Uuid, event: &CollectionEvent) -> Effects {
        match event {
            CollectionEvent::Scheduled(event) => Effects {
                lifecycle: Lifecycle::Opens,
                references: vec![event.customer_id],
                ..Effects::default()
            },
            CollectionEvent::ProcessingRecorded(event) if event.id_given => Effects {
                claims: vec![Claim::new(PROCESSING_CLAIM, event.processing_id.to_string())],
                ..Effects::default()
            },
            CollectionEvent::ProcessingRecorded(_)
            | CollectionEvent::Rescheduled(_)
            | CollectionEvent::Completed(_)
            | CollectionEvent::Missed(_)
            | CollectionEvent::Cancelled(_) => Effects::default(),
        }
    }
}

impl Load {
    fn scheduled(event: &events::Scheduled) -> Self {
        Self {
            customer_id: event.customer_id,
            status: CollectionStatus::Scheduled,
            scheduled_date: event.scheduled_date,
            actual_date: None,
            weight_kg: None,
            processed: 0,
        }
    }

    fn apply(&mut self, event: &CollectionEvent) {
        match event {
            CollectionEvent::Scheduled(event) => *self = Self::scheduled(event),
            CollectionEvent::Rescheduled(event) => {
                self.status = CollectionStatus::Scheduled;
                self.scheduled_date = event.scheduled_date;
            }
            CollectionEvent::Completed(event) => {
                self.status = CollectionStatus::Completed;
                self.actual_date = Some(event.actual_date);
                self.weight_kg = Some(event.weight_kg);
            }
            CollectionEvent::Missed(_) => self.status = CollectionStatus::Missed,
            CollectionEvent::Cancelled(_) => self.status = CollectionStatus::Cancelled,
            CollectionEvent::ProcessingRecorded(event) => {
                self.processed += event.weight_kg.hundredths();
            }
        }
    }
}
