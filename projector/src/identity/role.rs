//! `roles`, and `role_permissions` beside it: what each of them grants. The rows of a role go when
//! it is deleted; those in `user_roles` went just before, by their users' own events.

use chrono::{DateTime, Utc};
use daybook_domain::identity::role::RoleEvent;
use daybook_store::Recorded;
use uuid::Uuid;

use crate::catalog::{Rows, Touched};
use crate::rows::Fault;

crate::table! {
    /// A row of `roles`.
    pub struct RoleRow in "roles", key (id: Uuid), entity id;
    id: Uuid,
    name: String,
    description: Option<String>,
    is_system: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: Uuid,
    updated_by: Uuid,
}

crate::table! {
    /// A row of `role_permissions`.
    pub struct RolePermissionRow in "role_permissions", key (role_id: Uuid, permission_id: Uuid), entity role_id;
    role_id: Uuid,
    permission_id: Uuid,
    granted_at: DateTime<Utc>,
    granted_by: Uuid,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// The rows of an event.
pub fn touches(event: &RoleEvent, recorded: &Recorded, touched: &mut Touched) {
    let role = recorded.stream_id;
    match event {
        RoleEvent::Created(_) => touched.roles.makes((role,)),
        RoleEvent::Described(_) => touched.roles.needs((role,)),
        RoleEvent::PermissionGranted(event) => {
            touched.role_permissions.makes((role, event.permission_id));
        }
        RoleEvent::PermissionRevoked(event) => {
            touched.role_permissions.needs((role, event.permission_id));
        }
        RoleEvent::Deleted(event) => {
            touched.roles.needs((role,));
            for permission in &event.permissions {
                touched.role_permissions.needs((role, *permission));
            }
        }
    }
}

/// What an event makes of the rows.
///
/// # Errors
/// When the rows are not as the events before left them.
pub fn project(event: &RoleEvent, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let role = recorded.stream_id;
    let actor = recorded.metadata.actor_id;
    match event {
        RoleEvent::Created(event) => rows.roles.insert(RoleRow {
            id: role,
            name: event.name.as_str().to_owned(),
            description: event.description.as_ref().map(|text| text.as_str().to_owned()),
            is_system: event.is_system,
            created_at: recorded.recorded_at,
            updated_at: recorded.recorded_at,
            created_by: actor,
            updated_by: actor,
        }),
        RoleEvent::Described(event) => rows.roles.update(&(role,), |row| {
            row.name = event.name.as_str().to_owned();
            row.description = event.description.as_ref().map(|text| text.as_str().to_owned());
            row.updated_at = recorded.recorded_at;
            row.updated_by = actor;
        }),
        RoleEvent::PermissionGranted(event) => rows.role_permissions.insert(RolePermissionRow {
            role_id: role,
            permission_id: event.permission_id,
            granted_at: recorded.happened_at(),
            granted_by: actor,
            created_at: recorded.recorded_at,
            updated_at: recorded.recorded_at,
        }),
        RoleEvent::PermissionRevoked(event) => {
            rows.role_permissions.delete(&(role, event.permission_id))
        }
        RoleEvent::Deleted(event) => {
            for permission in &event.permissions {
                rows.role_permissions.delete(&(role, *permission))?;
            }
            rows.roles.delete(&(role,))
        }
    }
}
