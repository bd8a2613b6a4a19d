//! What can have happened to an organization.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{MemberRole, PlanTier, Reason, Text};

/// An organization began, with one member: its owner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Created {
    /// What people call it.
    pub name: Text<255>,
    /// What it pays for.
    pub plan_tier: PlanTier,
    /// Its owner.
    pub owner_id: Uuid,
}

/// It was given another name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Renamed {
    /// What people call it.
    pub name: Text<255>,
}

/// It pays for something else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanChanged {
    /// The plan before.
    pub from: PlanTier,
    /// The plan now.
    pub to: PlanTier,
}

/// A user became a member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemberAdded {
    /// The user.
    pub user_id: Uuid,
    /// What they may do here.
    pub role: MemberRole,
}

/// A member may do something else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemberRoleChanged {
    /// The member.
    pub user_id: Uuid,
    /// What they could do.
    pub from: MemberRole,
    /// What they may do.
    pub to: MemberRole,
}

/// A membership ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemberRemoved {
    /// The user.
    pub user_id: Uuid,
}

/// It was deleted; the record stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Deleted {
    /// The resources that were deleted with it; each has an event of its own in the same request.
    pub resources: Vec<Uuid>,
    /// How many open sessions were closed with it.
    pub sessions_closed: u32,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// The deletion was undone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Restored {
    /// The resources that were restored with it; each has an event of its own in the same request.
    pub resources: Vec<Uuid>,
}

crate::events! {
    /// What can have happened to an organization.
    pub enum OrganizationEvent {
        "organizations.organization.created" @ 1 => Created,
        "organizations.organization.renamed" @ 1 => Renamed,
        "organizations.organization.plan_changed" @ 1 => PlanChanged,
        "organizations.organization.member_added" @ 1 => MemberAdded,
        "organizations.organization.member_role_changed" @ 1 => MemberRoleChanged,
        "organizations.organization.member_removed" @ 1 => MemberRemoved,
        "organizations.organization.deleted" @ 1 => Deleted,
        "organizations.organization.restored" @ 1 => Restored,
    }
}
