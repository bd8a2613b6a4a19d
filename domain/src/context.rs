//! Who asks, when, and the fresh ids that a decision may use.
//!
//! Everything a decision needs from the outside world is in [`Context`], so
//! that the same state, command and context always give the same events.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{MemberRole, Scope, UserRole};

/// The user `system`, who does what nobody asked for (migrations, expiry).
pub const SYSTEM_USER: Uuid = Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001);
/// The user `importer`, who carries history in from other systems.
pub const IMPORTER_USER: Uuid = Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0002);
/// The user `scheduler`, who sends expiries that have come due.
pub const SCHEDULER_USER: Uuid = Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0003);

/// Who asks for something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The user's id.
    pub id: Uuid,
    /// The user's built-in role.
    pub role: UserRole,
    /// The built-in roles that the user was assigned beside it.
    #[serde(default)]
    pub roles: Vec<UserRole>,
    /// What the other roles that the user was assigned grant, whosever it is.
    #[serde(default)]
    pub grants: Vec<Scope>,
    /// The organization on whose behalf the actor asks, if any.
    pub tenant: Option<Uuid>,
    /// What the actor is in that organization.
    #[serde(default)]
    pub tenant_role: Option<MemberRole>,
    /// What the key in use is limited to (`resource:action`, `*` for any); `None`: no limit.
    pub scopes: Option<Vec<String>>,
}

impl Actor {
    /// An actor with a built-in role and nothing else: no assigned roles, no organization, no limit.
    #[must_use]
    pub const fn new(id: Uuid, role: UserRole) -> Self {
        Self {
            id,
            role,
            roles: Vec::new(),
            grants: Vec::new(),
            tenant: None,
            tenant_role: None,
            scopes: None,
        }
    }

    /// The actor behind what the service does by itself.
    #[must_use]
    pub const fn system() -> Self {
        Self::new(SYSTEM_USER, UserRole::Admin)
    }

    /// The actor behind imports; may say when things happened.
    #[must_use]
    pub const fn importer() -> Self {
        Self::new(IMPORTER_USER, UserRole::Admin)
    }

    /// The actor behind what comes due.
    #[must_use]
    pub const fn scheduler() -> Self {
        Self::new(SCHEDULER_USER, UserRole::Admin)
    }

    /// The actor's built-in roles: the user's own, and those assigned beside it.
    pub fn built_in_roles(&self) -> impl Iterator<Item = UserRole> {
        std::iter::once(self.role).chain(self.roles.iter().copied())
    }

    /// Whether this is an administrator.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.built_in_roles().any(|role| role == UserRole::Admin)
    }

    /// Whether this actor may do what managers may.
    #[must_use]
    pub fn is_manager(&self) -> bool {
        self.built_in_roles().any(|role| matches!(role, UserRole::Admin | UserRole::Manager))
    }
}

/// What a decision may know besides the state and the command.
#[derive(Debug, Clone)]
pub struct Context {
    /// Who asks.
    pub actor: Actor,
    /// The time at which the decision is taken, UTC, microseconds.
    pub now: DateTime<Utc>,
    /// When it happened in the world, where the caller says so (never later than `now`).
    pub occurred_at: Option<DateTime<Utc>>,
    /// A UUIDv7 made for this command; the source of [`Context::fresh_id`].
    pub seed: Uuid,
}

impl Context {
    /// When this happened in the world: `occurred_at`, or `now` where none is given.
    #[must_use]
    pub fn occurred(&self) -> DateTime<Utc> {
        self.occurred_at.unwrap_or(self.now)
    }

    /// The `n`th fresh id of this command: time-ordered like its seed, and the
    /// same each time the decision is repeated with the same context.
    #[must_use]
    pub fn fresh_id(&self, n: u16) -> Uuid {
        let low_62 = (1_u128 << 62) - 1;
        let seed = self.seed.as_u128();
        Uuid::from_u128((seed & !low_62) | (seed.wrapping_add(u128::from(n)) & low_62))
    }
}
