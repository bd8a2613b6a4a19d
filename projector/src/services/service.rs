//! `services`: what is on offer, and what was.

use chrono::{DateTime, Utc};
use daybook_domain::services::service::ServiceEvent;
use daybook_domain::values::{JsonObject, ServiceStatus};
use daybook_store::Recorded;
use uuid::Uuid;

use crate::catalog::{Rows, Touched};
use crate::rows::Fault;
use crate::table::JsonText;

crate::table! {
    /// A row of `services`.
    pub struct ServiceRow in "services", key (id: Uuid), entity id;
    id: Uuid,
    name: String,
    r#type: String,
    description: Option<String>,
    status: String,
    status_reason: Option<String>,
    configuration: Option<JsonText> as "jsonb",
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: Uuid,
    updated_by: Uuid,
}

/// The rows of an event.
pub fn touches(event: &ServiceEvent, recorded: &Recorded, touched: &mut Touched) {
    let service = (recorded.stream_id,);
    match event {
        ServiceEvent::Registered(_) => touched.services.makes(service),
        ServiceEvent::Described(_)
        | ServiceEvent::Configured(_)
        | ServiceEvent::Activated(_)
        | ServiceEvent::Deactivated(_) => touched.services.needs(service),
    }
}

/// What an event makes of the rows.
///
/// # Errors
/// When the rows are not as the events before left them.
pub fn project(event: &ServiceEvent, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let actor = recorded.metadata.actor_id;
    match event {
        ServiceEvent::Registered(event) => rows.services.insert(ServiceRow {
            id: recorded.stream_id,
            name: event.name.as_str().to_owned(),
            r#type: event.service_type.as_str().to_owned(),
            description: event.description.as_ref().map(|text| text.as_str().to_owned()),
            status: ServiceStatus::Active.to_string(),
            status_reason: None,
            configuration: event.configuration.as_ref().map(json),
            created_at: recorded.recorded_at,
            updated_at: recorded.recorded_at,
            created_by: actor,
            updated_by: actor,
        }),
        ServiceEvent::Described(event) => change(recorded, rows, |service| {
            service.name = event.name.as_str().to_owned();
            service.r#type = event.service_type.as_str().to_owned();
            service.description = event.description.as_ref().map(|text| text.as_str().to_owned());
        }),
        ServiceEvent::Configured(event) => change(recorded, rows, |service| {
            service.configuration = Some(json(&event.configuration));
        }),
        ServiceEvent::Activated(_) => change(recorded, rows, |service| {
            service.status = ServiceStatus::Active.to_string();
            service.status_reason = None;
        }),
        ServiceEvent::Deactivated(event) => change(recorded, rows, |service| {
            service.status = ServiceStatus::Inactive.to_string();
            service.status_reason = event.reason.as_ref().map(|reason| reason.as_str().to_owned());
        }),
    }
}

fn json(object: &JsonObject) -> JsonText {
    JsonText(object.to_text())
}

fn change(
    recorded: &Recorded,
    rows: &mut Rows,
    change: impl FnOnce(&mut ServiceRow),
) -> Result<(), Fault> {
    rows.services.update(&(recorded.stream_id,), |service| {
        change(service);
        service.updated_at = recorded.recorded_at;
        service.updated_by = recorded.metadata.actor_id;
    })
}
