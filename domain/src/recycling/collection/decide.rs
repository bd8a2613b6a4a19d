//! The rules of collections.

use chrono::{Days, NaiveDate};

use super::commands::{Cancel, Complete, Miss, RecordProcessing, Reschedule, Schedule};
use super::events::{Cancelled, Completed, Missed, ProcessingRecorded, Rescheduled, Scheduled};
use super::{
    Collection, CollectionCommand, CollectionError, CollectionEvent, CollectionFacts, Load,
};
use crate::context::Context;
use crate::values::{CollectionStatus, UserStatus};

type Decision = Result<Vec<CollectionEvent>, CollectionError>;

pub(super) fn decide(
    collection: &Collection,
    command: &CollectionCommand,
    facts: &CollectionFacts,
    context: &Context,
) -> Decision {
    match command {
        CollectionCommand::Schedule(command) => schedule(collection, command, facts),
        CollectionCommand::Reschedule(command) => reschedule(known(collection)?, command),
        CollectionCommand::Complete(command) => complete(known(collection)?, command, context),
        CollectionCommand::Miss(command) => miss(known(collection)?, command),
        CollectionCommand::Cancel(command) => cancel(known(collection)?, command),
        CollectionCommand::RecordProcessing(command) => {
            process(known(collection)?, command, context)
        }
    }
}

fn one(event: impl Into<CollectionEvent>) -> Decision {
    Ok(vec![event.into()])
}

fn known(collection: &Collection) -> Result<&Load, CollectionError> {
    collection.load().ok_or(CollectionError::Unknown)
}

fn stands(load: &Load, asked: &'static str) -> Decision {
    Err(CollectionError::Stands { status: load.status, asked })
}

fn schedule(collection: &Collection, command: &Schedule, facts: &CollectionFacts) -> Decision {
    if collection.load().is_some() {
        return Err(CollectionError::AlreadyScheduled);
    }
    let user_id = command.customer_id;
    let status = facts.customer.as_ref().and_then(|customer| customer.status());
    match status.ok_or(CollectionError::CustomerUnknown { user_id })? {
        UserStatus::Active => {}
        status @ (UserStatus::Inactive | UserStatus::Suspended | UserStatus::Deleted) => {
            return Err(CollectionError::CustomerNotActive { user_id, status });
        }
    }
    one(Scheduled {
        customer_id: user_id,
        collection_type: command.collection_type.clone(),
        scheduled_date: command.scheduled_date,
        location_address: command.location_address.clone(),
        notes: command.notes.clone(),
    })
}

/// A day that was missed may be said again: it is another attempt.
fn reschedule(load: &Load, command: &Reschedule) -> Decision {
    let (from, scheduled_date) = (load.scheduled_date, command.scheduled_date);
    match load.status {
        CollectionStatus::Scheduled if from == scheduled_date => Ok(vec![]),
        CollectionStatus::Scheduled | CollectionStatus::Missed => {
            one(Rescheduled { from, scheduled_date })
        }
        CollectionStatus::Completed | CollectionStatus::Cancelled => stands(load, "be rescheduled"),
    }
}

/// A day that has come somewhere: the day after the one in UTC has begun in the east.
fn come(day: Option<NaiveDate>, context: &Context) -> Result<NaiveDate, CollectionError> {
    let today = context.occurred().date_naive();
    let day = day.unwrap_or(today);
    if day > today.checked_add_days(Days::new(1)).unwrap_or(today) {
        return Err(CollectionError::DayAhead { day, today });
    }
    Ok(day)
}

fn complete(load: &Load, command: &Complete, context: &Context) -> Decision {
    let weight_kg = command.weight_kg;
    match (load.status, load.actual_date, load.weight_kg) {
        (CollectionStatus::Scheduled, _, _) => {
            one(Completed { weight_kg, actual_date: come(command.actual_date, context)? })
        }
        (CollectionStatus::Completed, Some(on), Some(weight)) => {
            let same_day = command.actual_date.is_none_or(|day| day == on);
            if same_day && weight == weight_kg {
                return Ok(vec![]);
            }
            Err(CollectionError::CompletedOtherwise { on, weight_kg: weight })
        }
        (
            CollectionStatus::Completed | CollectionStatus::Missed | CollectionStatus::Cancelled,
            _,
            _,
        ) => stands(load, "be completed"),
    }
}

fn miss(load: &Load, command: &Miss) -> Decision {
    match load.status {
        CollectionStatus::Missed => Ok(vec![]),
        CollectionStatus::Scheduled => one(Missed { reason: command.reason.clone() }),
        CollectionStatus::Completed | CollectionStatus::Cancelled => stands(load, "be missed"),
    }
}

fn cancel(load: &Load, command: &Cancel) -> Decision {
    match load.status {
        CollectionStatus::Cancelled => Ok(vec![]),
        CollectionStatus::Scheduled | CollectionStatus::Missed => {
            one(Cancelled { reason: command.reason.clone() })
        }
        CollectionStatus::Completed => stands(load, "be cancelled"),
    }
}

fn process(load: &Load, command: &RecordProcessing, context: &Context) -> Decision {
    let (Some(collected), Some(collected_on)) = (load.weight_kg, load.actual_date) else {
        return stands(load, "be processed");
    };
    let processing_date = come(command.processing_date, context)?;
    if processing_date < collected_on {
        return Err(CollectionError::ProcessedBeforeCollected {
            day: processing_date,
            collected: collected_on,
        });
    }
    let (processed, asked) = (load.processed, command.weight_kg);
    if processed + asked.hundredths() > collected.hundredths() {
        return Err(CollectionError::MoreThanCollected { collected, processed, asked });
    }
    one(ProcessingRecorded {
        processing_id: command.processing_id.unwrap_or_else(|| context.fresh_id(0)),
        id_given: command.processing_id.is_some(),
        material_type: command.material_type.clone(),
        weight_kg: asked,
        recovery_rate: command.recovery_rate,
        processing_date,
        facility_id: command.facility_id.clone(),
        carbon_saved_kg: command.carbon_saved_kg,
    })
}
