//! `resources`, and `resource_metadata` beside it: both are written from the resource's stream alone.

use chrono::{DateTime, Utc};
use daybook_domain::organizations::resource::ResourceEvent;
use daybook_store::Recorded;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::catalog::{Rows, Touched};
use crate::rows::Fault;
use crate::table::JsonText;

crate::table! {
    /// A row of `resources`.
    pub struct ResourceRow in "resources", key (id: Uuid), entity id;
    id: Uuid,
    org_id: Uuid,
    name: String,
    r#type: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: Uuid,
    updated_by: Uuid,
    deleted_at: Option<DateTime<Utc>>,
}

crate::table! {
    /// A row of `resource_metadata`.
    pub struct ResourceMetadataRow in "resource_metadata", key (resource_id: Uuid), entity resource_id;
    resource_id: Uuid,
    data: JsonText as "jsonb",
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: Uuid,
    updated_by: Uuid,
}

/// The rows of an event.
pub fn touches(event: &ResourceEvent, recorded: &Recorded, touched: &mut Touched) {
    let resource = (recorded.stream_id,);
    match event {
        ResourceEvent::Created(_) => {
            touched.resources.makes(resource);
            touched.resource_metadata.makes(resource);
        }
        ResourceEvent::MetadataSet(_) => touched.resource_metadata.needs(resource),
        ResourceEvent::Renamed(_) | ResourceEvent::Deleted(_) | ResourceEvent::Restored(_) => {
            touched.resources.needs(resource);
        }
    }
}

/// What an event makes of the rows.
///
/// # Errors
/// When the rows are not as the events before left them.
pub fn project(event: &ResourceEvent, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let (id, actor, at) = (recorded.stream_id, recorded.metadata.actor_id, recorded.recorded_at);
    match event {
        ResourceEvent::Created(event) => {
            rows.resources.insert(ResourceRow {
                id,
                org_id: event.org_id,
                name: event.name.as_str().to_owned(),
                r#type: event.resource_type.as_str().to_owned(),
                created_at: at,
                updated_at: at,
                created_by: actor,
                updated_by: actor,
                deleted_at: None,
            })?;
            rows.resource_metadata.insert(ResourceMetadataRow {
                resource_id: id,
                data: text(&event.metadata),
                created_at: at,
                updated_at: at,
                created_by: actor,
                updated_by: actor,
            })
        }
        ResourceEvent::Renamed(event) => change(recorded, rows, |resource| {
            resource.name = event.name.as_str().to_owned();
        }),
        ResourceEvent::MetadataSet(event) => rows.resource_metadata.update(&(id,), |metadata| {
            metadata.data = text(&event.metadata);
            metadata.updated_at = at;
            metadata.updated_by = actor;
        }),
        ResourceEvent::Deleted(_) => change(recorded, rows, |resource| {
            resource.deleted_at = Some(recorded.happened_at());
        }),
        ResourceEvent::Restored(_) => change(recorded, rows, |resource| resource.deleted_at = None),
    }
}

fn text(metadata: &Map<String, Value>) -> JsonText {
    JsonText(Value::Object(metadata.clone()).to_string())
}

fn change(
    recorded: &Recorded,
    rows: &mut Rows,
    change: impl FnOnce(&mut ResourceRow),
) -> Result<(), Fault> {
    rows.resources.update(&(recorded.stream_id,), |resource| {
        change(resource);
        resource.updated_at = recorded.recorded_at;
        resource.updated_by = recorded.metadata.actor_id;
    })
}
