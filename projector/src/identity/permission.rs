//! `permissions`: a row goes when its permission is removed.

use chrono::{DateTime, Utc};
use daybook_domain::identity::permission::PermissionEvent;
use daybook_store::Recorded;
use uuid::Uuid;

use crate::catalog::{Rows, Touched};
use crate::rows::Fault;

crate::table! {
    /// A row of `permissions`.
    pub struct PermissionRow in "permissions", key (id: Uuid), entity id;
    id: Uuid,
    name: String,
    resource: String,
    action: String,
    description: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: Uuid,
    updated_by: Uuid,
}

/// The rows of an event.
pub fn touches(event: &PermissionEvent, recorded: &Recorded, touched: &mut Touched) {
    let key = (recorded.stream_id,);
    match event {
        PermissionEvent::Defined(_) => touched.permissions.makes(key),
        PermissionEvent::Described(_) | PermissionEvent::Removed(_) => {
            touched.permissions.needs(key);
        }
    }
}

/// What an event makes of the rows.
///
/// # Errors
/// When the rows are not as the events before left them.
pub fn project(event: &PermissionEvent, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let key = (recorded.stream_id,);
    let actor = recorded.metadata.actor_id;
    match event {
        PermissionEvent::Defined(event) => rows.permissions.insert(PermissionRow {
            id: recorded.stream_id,
            name: event.name.as_str().to_owned(),
            resource: event.resource.as_str().to_owned(),
            action: event.action.as_str().to_owned(),
            description: event.description.as_ref().map(|text| text.as_str().to_owned()),
            created_at: recorded.recorded_at,
            updated_at: recorded.recorded_at,
            created_by: actor,
            updated_by: actor,
        }),
        PermissionEvent::Described(event) => rows.permissions.update(&key, |permission| {
            permission.name = event.name.as_str().to_owned();
            permission.description =
                event.description.as_ref().map(|text| text.as_str().to_owned());
            permission.updated_at = recorded.recorded_at;
            permission.updated_by = actor;
        }),
        PermissionEvent::Removed(_) => rows.permissions.delete(&key),
    }
}
