//! `recycling_collections` and `recycling_processing`, both written from the collection's stream alone.

use chrono::{DateTime, NaiveDate, Utc};
use daybook_domain::recycling::collection::CollectionEvent;
use daybook_domain::recycling::collection::events::{ProcessingRecorded, Scheduled};
use daybook_domain::values::{CollectionStatus, Reason};
use daybook_store::Recorded;
use uuid::Uuid;

use crate::catalog::{Rows, Touched};
use crate::rows::Fault;
use crate::table::Hundredths;

crate::table! {
    /// A row of `recycling_collections`.
    pub struct RecyclingCollectionRow in "recycling_collections", key (id: Uuid), entity id;
    id: Uuid,
    customer_id: Uuid,
    collection_type: String,
    scheduled_date: NaiveDate,
    actual_date: Option<NaiveDate>,
    status: String,
    status_reason: Option<String>,
    weight_kg: Option<Hundredths>,
    processed_kg: Hundredths,
    location_address: String,
    notes: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: Uuid,
    updated_by: Uuid,
}

crate::table! {
    /// A row of `recycling_processing`.
    pub struct RecyclingProcessingRow in "recycling_processing", key (id: Uuid), entity id,
    settled |_| true;
    id: Uuid,
    collection_id: Uuid,
    material_type: String,
    weight_kg: Hundredths,
    recovery_rate: Option<Hundredths>,
    processing_date: NaiveDate,
    facility_id: Option<String>,
    carbon_saved_kg: Option<Hundredths>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: Uuid,
    updated_by: Uuid,
}

/// The rows of an event.
pub fn touches(event: &CollectionEvent, recorded: &Recorded, touched: &mut Touched) {
    let collection = (recorded.stream_id,);
    match event {
        CollectionEvent::Scheduled(_) => touched.recycling_collections.makes(collection),
        CollectionEvent::ProcessingRecorded(event) => {
            touched.recycling_collections.needs(collection);
            touched.recycling_processing.makes((event.processing_id,));
        }
        CollectionEvent::Rescheduled(_)
        | CollectionEvent::Completed(_)
        | CollectionEvent::Missed(_)
        | CollectionEvent::Cancelled(_) => touched.recycling_collections.needs(collection),
    }
}

/// What an event makes of the rows.
///
/// # Errors
/// When the rows are not as the events before left them.
pub fn project(event: &CollectionEvent, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    match event {
        CollectionEvent::Scheduled(event) => scheduled(event, recorded, rows),
        CollectionEvent::Rescheduled(event) => change(recorded, rows, |collection| {
            stands(collection, CollectionStatus::Scheduled, None);
            collection.scheduled_date = event.scheduled_date;
        }),
        CollectionEvent::Completed(event) => change(recorded, rows, |collection| {
            stands(collection, CollectionStatus::Completed, None);
            collection.actual_date = Some(event.actual_date);
            collection.weight_kg = Some(Hundredths(event.weight_kg.hundredths()));
        }),
        CollectionEvent::Missed(event) => change(recorded, rows, |collection| {
            stands(collection, CollectionStatus::Missed, event.reason.as_ref());
        }),
        CollectionEvent::Cancelled(event) => change(recorded, rows, |collection| {
            stands(collection, CollectionStatus::Cancelled, event.reason.as_ref());
        }),
        CollectionEvent::ProcessingRecorded(event) => {
            processed(event, recorded, rows)?;
            change(recorded, rows, |collection| {
                collection.processed_kg.0 += event.weight_kg.hundredths();
            })
        }
    }
}

fn scheduled(event: &Scheduled, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let actor = recorded.metadata.actor_id;
    rows.recycling_collections.insert(RecyclingCollectionRow {
        id: recorded.stream_id,
        customer_id: event.customer_id,
        collection_type: event.collection_type.as_str().to_owned(),
        scheduled_date: event.scheduled_date,
        actual_date: None,
        status: CollectionStatus::Scheduled.to_string(),
        status_reason: None,
        weight_kg: None,
        processed_kg: Hundredths(0),
        location_address: event.location_address.as_str().to_owned(),
        notes: event.notes.as_ref().map(|text| text.as_str().to_owned()),
        created_at: recorded.recorded_at,
        updated_at: recorded.recorded_at,
        created_by: actor,
        updated_by: actor,
    })
}

fn processed(
    event: &ProcessingRecorded,
    recorded: &Recorded,
    rows: &mut Rows,
) -> Result<(), Fault> {
    let actor = recorded.metadata.actor_id;
    rows.recycling_processing.insert(RecyclingProcessingRow {
        id: event.processing_id,
        collection_id: recorded.stream_id,
        material_type: event.material_type.as_str().to_owned(),
        weight_kg: Hundredths(event.weight_kg.hundredths()),
        recovery_rate: event.recovery_rate.map(|rate| Hundredths(rate.hundredths())),
        processing_date: event.processing_date,
        facility_id: event.facility_id.as_ref().map(|text| text.as_str().to_owned()),
        carbon_saved_kg: event.carbon_saved_kg.map(|mass| Hundredths(mass.hundredths())),
        created_at: recorded.recorded_at,
        updated_at: recorded.recorded_at,
        created_by: actor,
        updated_by: actor,
    })
}

fn stands(
    collection: &mut RecyclingCollectionRow,
    status: CollectionStatus,
    reason: Option<&Reason>,
) {
    collection.status = status.to_string();
    collection.status_reason = reason.map(|reason| reason.as_str().to_owned());
}

fn change(
    recorded: &Recorded,
    rows: &mut Rows,
    change: impl FnOnce(&mut RecyclingCollectionRow),
) -> Result<(), Fault> {
    rows.recycling_collections.update(&(recorded.stream_id,), |collection| {
        change(collection);
        collection.updated_at = recorded.recorded_at;
        collection.updated_by = recorded.metadata.actor_id;
    })
}
