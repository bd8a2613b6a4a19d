//! `organizations` and `org_members`: both are written from the organization's stream alone. A
//! membership that ended has no row.

use chrono::{DateTime, Utc};
use daybook_domain::organizations::organization::OrganizationEvent;
use daybook_domain::values::MemberRole;
use daybook_store::Recorded;
use uuid::Uuid;

use crate::catalog::{Rows, Touched};
use crate::rows::Fault;

crate::table! {
    /// A row of `organizations`.
    pub struct OrganizationRow in "organizations", key (id: Uuid), entity id;
    id: Uuid,
    name: String,
    plan_tier: String as "public.plan_tier",
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: Uuid,
    updated_by: Uuid,
    deleted_at: Option<DateTime<Utc>>,
}

crate::table! {
    /// A row of `org_members`.
    pub struct OrgMemberRow in "org_members", key (org_id: Uuid, user_id: Uuid), entity org_id;
    org_id: Uuid,
    user_id: Uuid,
    role: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: Uuid,
    updated_by: Uuid,
}

/// The rows of an event.
pub fn touches(event: &OrganizationEvent, recorded: &Recorded, touched: &mut Touched) {
    let id = recorded.stream_id;
    match event {
        OrganizationEvent::Created(event) => {
            touched.organizations.makes((id,));
            touched.org_members.makes((id, event.owner_id));
        }
        OrganizationEvent::MemberAdded(event) => touched.org_members.makes((id, event.user_id)),
        OrganizationEvent::MemberRoleChanged(event) => {
            touched.org_members.needs((id, event.user_id));
        }
        OrganizationEvent::MemberRemoved(event) => touched.org_members.needs((id, event.user_id)),
        OrganizationEvent::Renamed(_)
        | OrganizationEvent::PlanChanged(_)
        | OrganizationEvent::Deleted(_)
        | OrganizationEvent::Restored(_) => touched.organizations.needs((id,)),
    }
}

/// What an event makes of the rows.
///
/// # Errors
/// When the rows are not as the events before left them.
pub fn project(
    event: &OrganizationEvent,
    recorded: &Recorded,
    rows: &mut Rows,
) -> Result<(), Fault> {
    let (id, actor) = (recorded.stream_id, recorded.metadata.actor_id);
    match event {
        OrganizationEvent::Created(event) => {
            rows.organizations.insert(OrganizationRow {
                id,
                name: event.name.as_str().to_owned(),
                plan_tier: event.plan_tier.to_string(),
                created_at: recorded.recorded_at,
                updated_at: recorded.recorded_at,
                created_by: actor,
                updated_by: actor,
                deleted_at: None,
            })?;
            joins(event.owner_id, MemberRole::Owner, recorded, rows)
        }
        OrganizationEvent::Renamed(event) => change(recorded, rows, |organization| {
            organization.name = event.name.as_str().to_owned();
        }),
        OrganizationEvent::PlanChanged(event) => change(recorded, rows, |organization| {
            organization.plan_tier = event.to.to_string();
        }),
        OrganizationEvent::MemberAdded(event) => joins(event.user_id, event.role, recorded, rows),
        OrganizationEvent::MemberRoleChanged(event) => {
            rows.org_members.update(&(id, event.user_id), |member| {
                member.role = event.to.to_string();
                member.updated_at = recorded.recorded_at;
                member.updated_by = actor;
            })
        }
        OrganizationEvent::MemberRemoved(event) => rows.org_members.delete(&(id, event.user_id)),
        OrganizationEvent::Deleted(_) => change(recorded, rows, |organization| {
            organization.deleted_at = Some(recorded.happened_at());
        }),
        OrganizationEvent::Restored(_) => {
            change(recorded, rows, |organization| organization.deleted_at = None)
        }
    }
}

fn joins(
    user_id: Uuid,
    role: MemberRole,
    recorded: &Recorded,
    rows: &mut Rows,
) -> Result<(), Fault> {
    let actor = recorded.metadata.actor_id;
    rows.org_members.insert(OrgMemberRow {
        org_id: recorded.stream_id,
        user_id,
        role: role.to_string(),
        created_at: recorded.recorded_at,
        updated_at: recorded.recorded_at,
        created_by: actor,
        updated_by: actor,
    })
}

fn change(
    recorded: &Recorded,
    rows: &mut Rows,
    change: impl FnOnce(&mut OrganizationRow),
) -> Result<(), Fault> {
    rows.organizations.update(&(recorded.stream_id,), |organization| {
        change(organization);
        organization.updated_at = recorded.recorded_at;
        organization.updated_by = recorded.metadata.actor_id;
    })
}
