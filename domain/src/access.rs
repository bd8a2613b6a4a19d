//! Who may do what: the built-in roles, what assigned roles grant, what a member of an
//! organization may there, and the scopes that narrow a key.
//!
//! A permission is a resource and an action: `banking.account` and a command's
//! name, [`READ`], or [`HISTORY`]; [`LOG`] is the log as a whole. This is the
//! coarse question, asked before anything is loaded or decided; what depends
//! on a command's content or on the state is each aggregate's own rule.
//! Roles, grants and memberships add up; scopes only take away.

use uuid::Uuid;

use crate::aggregate::Aggregate;
use crate::catalog::AGGREGATES;
use crate::context::Actor;
use crate::values::{MemberRole, Scope, UserRole};

/// Reading what is now.
pub const READ: &str = "read";
/// Reading what was: the events, past states, who changed what.
pub const HISTORY: &str = "history";
/// Saying when something happened in the world (on [`LOG`]).
pub const IMPORT: &str = "import";
/// The log and the audit trail as a whole, everyone's past in them.
pub const LOG: &str = "log";

/// The posting of the read tables: its lag, and what is parked.
pub const PROJECTOR: &str = "platform.projector";
/// Posting a parked event again (on [`PROJECTOR`]).
pub const RETRY: &str = "retry";

/// What there is to permit besides aggregates.
const BESIDES: &[(&str, &[&str])] = &[(LOG, &[READ, HISTORY, IMPORT]), (PROJECTOR, &[READ, RETRY])];

/// How what is asked for stands to who asks. A `bool` is whether it is their own, and of no
/// organization.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Whose {
    /// It belongs to the actor.
    pub own: bool,
    /// It belongs to the organization on whose behalf the actor asks.
    pub within: bool,
}

impl From<bool> for Whose {
    fn from(own: bool) -> Self {
        Self { own, within: false }
    }
}

/// What belongs to a user.
pub trait Owned: Aggregate {
    /// The user to whom the stream belongs; for a command that begins it, the
    /// user to whom it will belong. `None`: nobody's.
    fn owner(&self, stream: Uuid, command: &Self::Command) -> Option<Uuid>;

    /// The organization to which the stream belongs, or will belong. `None`: to none.
    fn organization(&self, _stream: Uuid, _command: &Self::Command) -> Option<Uuid> {
        None
    }

    /// Whether the stream is this user's own: it belongs to them, and where several have it in
    /// common, to each of them.
    fn is_owned_by(&self, stream: Uuid, command: &Self::Command, user: Uuid) -> bool {
        self.owner(stream, command) == Some(user)
    }
}

/// What people may do to themselves, their keys and what they are told, whatever their role.
const SELF_CARE: &[(&str, &[&str])] = &[
    (
        "identity.user",
        &[
            READ,
            "verify_email",
            "request_verification",
            "change_email",
            "change_username",
            "change_profile",
            "describe",
            "change_password",
            "close_sessions",
            "deactivate",
            "delete",
        ],
    ),
    ("identity.session", &[READ, "open", "extend", "close"]),
    ("identity.api_key", &[READ, "issue", "rotate", "revoke"]),
    ("platform.notification", &[READ, "mark_read", "dismiss"]),
];

/// What those who manage read of identities without administering them.
const IDENTITY_CATALOGUE: &[(&str, &[&str])] =
    &[("identity.user", &[READ]), ("identity.role", &[READ]), ("identity.permission", &[READ])];

/// What is there for everyone to read, though it is nobody's own.
const ON_DISPLAY: &[(&str, &[&str])] = &[("services.service", &[READ])];

/// What the bank does to an account and the platform to its users, the owner never.
const BANKS_OWN: &[(&str, &[&str])] = &[
    (
        "banking.account",
        &[
            "charge_fee",
            "post_interest",
            "receive_transfer",
            "complete_transaction",
            "fail_transaction",
            "set_overdraft_limit",
            "unfreeze",
        ],
    ),
    ("services.service", &["register", "describe", "configure", "activate", "deactivate"]),
    ("services.subscription", &["expire"]),
    ("open_banking.aisp_account", &["expire_consent", "record_balance", "record_transactions"]),
    ("recycling.collection", &["complete", "miss", "record_processing"]),
    ("support.ticket", &["triage", "assign", "start", "await", "requeue", "resolve"]),
    (
        "support.asset",
        &["register", "assign", "return", "move", "send_to_repair", "retire", "specify"],
    ),
    // A customer looks at what works for them; operators run it.
    (
        "datacentre.server",
        &[
            "provision",
            "readdress",
            "relocate",
            "resize",
            "assign_customer",
            "release_customer",
            "enter_maintenance",
            "leave_maintenance",
            "decommission",
            "record_usage",
        ],
    ),
    // Who is told something does not tell it to themselves.
    ("platform.notification", &["notify"]),
];

/// What administers an organization: its owners and administrators do it, its members do not.
const ORGANIZATIONS_OWN: &[(&str, &[&str])] = &[
    (
        "organizations.organization",
        &["change_plan", "add_member", "change_member_role", "remove_member", "delete", "restore"],
    ),
    ("organizations.billing_account", &["open", "change_details", "suspend", "resume", "close"]),
];

/// Whether the actor may do `action` to a `resource` that is theirs, or within their organization.
///
/// The past of a thing may be read by who may read it now, or by who may read history.
#[must_use]
pub fn may(actor: &Actor, resource: &str, action: &str, whose: impl Into<Whose>) -> bool {
    let Whose { own, within } = whose.into();
    let member = actor.tenant_role.filter(|_| within && actor.tenant.is_some());
    let allowed = |action: &str| {
        let granted = actor.built_in_roles().any(|role| role_may(role, resource, action, own))
            || actor.grants.iter().any(|grant| covers(grant.parts(), (resource, action)))
            || member.is_some_and(|role| member_may(role, resource, action));
        granted && scopes_allow(actor.scopes.as_deref(), resource, action)
    };
    allowed(action) || (action == HISTORY && resource != LOG && allowed(READ))
}

/// Whether the actor may say when something happened: those who may import.
#[must_use]
pub fn may_say_when(actor: &Actor) -> bool {
    may(actor, LOG, IMPORT, false)
}

/// Whether a role grants something, before any scope narrows it.
#[must_use]
pub fn role_may(role: UserRole, resource: &str, action: &str, own: bool) -> bool {
    let is_identity = resource.starts_with("identity.");
    let self_care = own && listed(SELF_CARE, resource, action);
    match role {
        UserRole::Admin => true,
        UserRole::Manager if resource == LOG => false,
        UserRole::Manager if is_identity => {
            self_care || listed(IDENTITY_CATALOGUE, resource, action)
        }
        UserRole::Manager => true,
        UserRole::User if is_identity => self_care,
        UserRole::User if listed(ON_DISPLAY, resource, action) => true,
        UserRole::User => own && !besides(resource) && !listed(BANKS_OWN, resource, action),
        UserRole::Viewer => self_care || (action == READ && !is_identity && resource != LOG),
        UserRole::Auditor => self_care || action == READ || action == HISTORY,
    }
}

/// Whether a member's role grants something on what belongs to the organization, before any scope
/// narrows it.
#[must_use]
pub fn member_may(role: MemberRole, resource: &str, action: &str) -> bool {
    match role {
        MemberRole::Owner | MemberRole::Admin => true,
        MemberRole::Member => !listed(ORGANIZATIONS_OWN, resource, action),
        MemberRole::Viewer => action == READ,
    }
}

fn listed(table: &[(&str, &[&str])], resource: &str, action: &str) -> bool {
    table.iter().any(|(of, actions)| *of == resource && actions.contains(&action))
}

/// Whether it is no aggregate, and so nobody's own.
fn besides(resource: &str) -> bool {
    BESIDES.iter().any(|(name, _)| *name == resource)
}

/// No scopes at all (`None`) is no limit; an empty list allows nothing.
fn scopes_allow(scopes: Option<&[String]>, resource: &str, action: &str) -> bool {
    scopes.is_none_or(|scopes| scopes.iter().any(|scope| covers(parts(scope), (resource, action))))
}

/// The resource and the action of a scope; `*` alone is both.
fn parts(scope: &str) -> (&str, &str) {
    match scope.split_once(':') {
        Some(parts) => parts,
        None if scope == "*" => ("*", "*"),
        // Not a scope: an action that nothing has.
        None => (scope, ""),
    }
}

/// Whether everything that `narrow` names, `wide` names too.
fn covers(wide: (&str, &str), narrow: (&str, &str)) -> bool {
    let resource = match wide.0.strip_suffix('*') {
        // `*`, or `banking.*` with its dot.
        Some(start) => narrow.0.starts_with(start),
        None => wide.0 == narrow.0,
    };
    resource && (wide.1 == "*" || wide.1 == narrow.1)
}

/// Whether a scope is no wider than those through which the actor acts.
#[must_use]
pub fn within_own_scopes(actor: &Actor, scope: &Scope) -> bool {
    let (resource, action) = scope.parts();
    scopes_allow(actor.scopes.as_deref(), resource, action)
}

/// Whether the actor acts through something that takes nothing away from what they may.
#[must_use]
pub fn is_unlimited(actor: &Actor) -> bool {
    scopes_allow(actor.scopes.as_deref(), "*", "*")
}

/// Whether a role allows anything that a scope names, be it on one's own only.
#[must_use]
pub fn grants_anything(role: UserRole, scope: &Scope) -> bool {
    let named = |resource: &str, action: &str| {
        covers(scope.parts(), (resource, action)) && role_may(role, resource, action, true)
    };
    let on_aggregates = AGGREGATES.iter().any(|aggregate| {
        let commands = aggregate.commands.iter().map(|command| command.name);
        commands.chain([READ, HISTORY]).any(|action| named(aggregate.kind, action))
    });
    on_aggregates
        || BESIDES
            .iter()
            .any(|(resource, actions)| actions.iter().any(|action| named(resource, action)))
}

#[cfg(test)]
mod tests;
