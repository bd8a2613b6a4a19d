//! What can be asked of an organization.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{MemberRole, PlanTier, Reason, Text};

/// Begins an organization. Whoever asks becomes its owner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Create {
    /// What people call it.
    pub name: Text<255>,
    /// What it pays for; nothing where absent.
    #[serde(default)]
    pub plan_tier: PlanTier,
    /// Who owns it, where that is not whoever asks: for administrators and managers to say.
    #[serde(default)]
    pub owner_id: Option<Uuid>,
}

/// Changes what people call it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rename {
    /// The new name.
    pub name: Text<255>,
}

/// Changes what it pays for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePlan {
    /// The new plan.
    pub plan_tier: PlanTier,
}

/// Takes an active user in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddMember {
    /// The user.
    pub user_id: Uuid,
    /// What they may do here.
    pub role: MemberRole,
}

/// Changes what a member may do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeMemberRole {
    /// The member.
    pub user_id: Uuid,
    /// What they may do from now on.
    pub role: MemberRole,
}

/// Ends a membership. Members may end their own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveMember {
    /// The member.
    pub user_id: Uuid,
}

/// Deletes it with its resources, and closes its open sessions, all in one request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Undoes a deletion, for the organization and the resources that went with it. What was deleted
/// before stays deleted, and closed sessions stay closed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Restore {}

crate::commands! {
    /// What can be asked of an organization.
    pub enum OrganizationCommand {
        "create" => Create,
        "rename" => Rename,
        "change_plan" => ChangePlan,
        "add_member" => AddMember,
        "change_member_role" => ChangeMemberRole,
        "remove_member" => RemoveMember,
        "delete" => Delete,
        "restore" => Restore,
    }
}
