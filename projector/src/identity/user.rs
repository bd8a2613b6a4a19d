//! `users`; `user_identifiers` beside it, what users are found by; and `user_roles`, the roles that
//! they have beside the built-in one; and `user_profiles`, what they say of themselves.

use chrono::{DateTime, Utc};
use daybook_domain::identity::user::UserEvent;
use daybook_domain::identity::user::events::{Described, Registered};
use daybook_domain::values::UserStatus;
use daybook_store::Recorded;
use uuid::Uuid;

use crate::catalog::{Rows, Touched};
use crate::rows::Fault;

crate::table! {
    /// A row of `users`.
    pub struct UserRow in "users", key (id: Uuid), entity id;
    id: Uuid,
    username: String,
    email: String,
    full_name: String,
    first_name: String,
    last_name: String,
    phone: Option<String>,
    [secret] password_hash: String,
    status: String as "public.user_status",
    is_verified: bool,
    role: String,
    last_login: Option<DateTime<Utc>>,
    failed_logins: i32,
    locked_until: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: Uuid,
    updated_by: Uuid,
    deleted_at: Option<DateTime<Utc>>,
}

crate::table! {
    /// A row of `user_identifiers`.
    pub struct UserIdentifierRow in "user_identifiers", key (kind: String, key: String), entity user_id;
    kind: String,
    key: String,
    user_id: Uuid,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

crate::table! {
    /// A row of `user_roles`.
    pub struct UserRoleRow in "user_roles", key (user_id: Uuid, role_id: Uuid), entity user_id;
    user_id: Uuid,
    role_id: Uuid,
    assigned_at: DateTime<Utc>,
    assigned_by: Uuid,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

crate::table! {
    /// A row of `user_profiles`.
    pub struct UserProfileRow in "user_profiles", key (id: Uuid), entity id;
    id: Uuid,
    user_id: Uuid,
    bio: Option<String>,
    avatar_url: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

const EMAIL: &str = "email";
const USERNAME: &str = "username";

/// `key`: in lower case, as it is claimed.
fn identifier(kind: &str, key: String) -> (String, String) {
    (kind.to_owned(), key)
}

/// The rows of an event.
pub fn touches(event: &UserEvent, recorded: &Recorded, touched: &mut Touched) {
    let user = (recorded.stream_id,);
    match event {
        UserEvent::Registered(event) => {
            touched.users.makes(user);
            touched.user_identifiers.makes(identifier(EMAIL, event.email.key()));
            touched.user_identifiers.makes(identifier(USERNAME, event.username.key()));
        }
        UserEvent::EmailChanged(event) => {
            touched.users.needs(user);
            renames(EMAIL, event.from.key(), event.to.key(), touched);
        }
        UserEvent::UsernameChanged(event) => {
            touched.users.needs(user);
            renames(USERNAME, event.from.key(), event.to.key(), touched);
        }
        UserEvent::Described(event) if event.first => touched.user_profiles.makes(user),
        UserEvent::Described(_) => touched.user_profiles.needs(user),
        UserEvent::RoleAssigned(event) => touched.user_roles.makes((user.0, event.role_id)),
        UserEvent::RoleUnassigned(event) => touched.user_roles.needs((user.0, event.role_id)),
        UserEvent::EmailVerified(_)
        | UserEvent::ProfileChanged(_)
        | UserEvent::PasswordChanged(_)
        | UserEvent::RoleChanged(_)
        | UserEvent::LoggedIn(_)
        | UserEvent::LoginFailed(_)
        | UserEvent::Unlocked(_)
        | UserEvent::Suspended(_)
        | UserEvent::Deactivated(_)
        | UserEvent::Reactivated(_)
        | UserEvent::Deleted(_)
        | UserEvent::Restored(_) => touched.users.needs(user),
        // The token's hash is a matter of the write side: no row changes.
        UserEvent::VerificationRequested(_) => {}
    }
}

fn renames(kind: &str, from: String, to: String, touched: &mut Touched) {
    if from != to {
        touched.user_identifiers.needs(identifier(kind, from));
        touched.user_identifiers.makes(identifier(kind, to));
    }
}

/// What an event makes of the rows.
///
/// # Errors
/// When the rows are not as the events before left them.
pub fn project(event: &UserEvent, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let happened_at = recorded.happened_at();
    match event {
        UserEvent::Registered(event) => registered(event, recorded, rows),
        UserEvent::EmailVerified(_) => change(recorded, rows, |user| user.is_verified = true),
        UserEvent::EmailChanged(event) => {
            rename(EMAIL, event.from.key(), event.to.key(), recorded, rows)?;
            change(recorded, rows, |user| {
                user.email = event.to.as_str().to_owned();
                user.is_verified = false;
            })
        }
        UserEvent::UsernameChanged(event) => {
            rename(USERNAME, event.from.key(), event.to.key(), recorded, rows)?;
            change(recorded, rows, |user| user.username = event.to.as_str().to_owned())
        }
        UserEvent::ProfileChanged(event) => change(recorded, rows, |user| {
            user.full_name = event.full_name.as_str().to_owned();
            user.first_name = event.first_name.as_str().to_owned();
            user.last_name = event.last_name.as_str().to_owned();
            user.phone = event.phone.as_ref().map(|phone| phone.as_str().to_owned());
        }),
        UserEvent::Described(event) => described(event, recorded, rows),
        UserEvent::PasswordChanged(event) => change(recorded, rows, |user| {
            user.password_hash = event.password_hash.as_str().to_owned();
        }),
        UserEvent::RoleChanged(event) => {
            change(recorded, rows, |user| user.role = event.to.to_string())
        }
        UserEvent::RoleAssigned(event) => rows.user_roles.insert(UserRoleRow {
            user_id: recorded.stream_id,
            role_id: event.role_id,
            assigned_at: happened_at,
            assigned_by: recorded.metadata.actor_id,
            created_at: recorded.recorded_at,
            updated_at: recorded.recorded_at,
        }),
        UserEvent::RoleUnassigned(event) => {
            rows.user_roles.delete(&(recorded.stream_id, event.role_id))
        }
        UserEvent::LoggedIn(_) => change(recorded, rows, |user| {
            user.last_login = Some(happened_at);
            user.failed_logins = 0;
            user.locked_until = None;
        }),
        UserEvent::LoginFailed(event) => change(recorded, rows, |user| {
            user.failed_logins = i32::try_from(event.failures).unwrap_or(i32::MAX);
            user.locked_until = event.locked_until;
        }),
        UserEvent::Unlocked(_) => change(recorded, rows, |user| {
            user.failed_logins = 0;
            user.locked_until = None;
        }),
        UserEvent::Suspended(_) => status(recorded, rows, UserStatus::Suspended),
        UserEvent::Deactivated(_) => status(recorded, rows, UserStatus::Inactive),
        UserEvent::Reactivated(_) => status(recorded, rows, UserStatus::Active),
        UserEvent::Deleted(_) => change(recorded, rows, |user| {
            user.status = UserStatus::Deleted.to_string();
            user.deleted_at = Some(happened_at);
        }),
        UserEvent::Restored(event) => change(recorded, rows, |user| {
            user.status = event.status.to_string();
            user.deleted_at = None;
        }),
        UserEvent::VerificationRequested(_) => Ok(()),
    }
}

/// A user has one profile, under their own id, from the first time that they say something.
fn described(event: &Described, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let bio = event.bio.as_ref().map(|bio| bio.as_str().to_owned());
    let avatar_url = event.avatar_url.as_ref().map(|url| url.as_str().to_owned());
    let (id, now) = (recorded.stream_id, recorded.recorded_at);
    if event.first {
        let row =
            UserProfileRow { id, user_id: id, bio, avatar_url, created_at: now, updated_at: now };
        return rows.user_profiles.insert(row);
    }
    rows.user_profiles.update(&(id,), |profile| {
        (profile.bio, profile.avatar_url, profile.updated_at) = (bio, avatar_url, now);
    })
}

fn registered(event: &Registered, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let actor = recorded.metadata.actor_id;
    rows.users.insert(UserRow {
        id: recorded.stream_id,
        username: event.username.as_str().to_owned(),
        email: event.email.as_str().to_owned(),
        full_name: event.full_name.as_str().to_owned(),
        first_name: event.first_name.as_str().to_owned(),
        last_name: event.last_name.as_str().to_owned(),
        phone: event.phone.as_ref().map(|phone| phone.as_str().to_owned()),
        password_hash: event.password_hash.as_str().to_owned(),
        status: UserStatus::Active.to_string(),
        is_verified: false,
        role: event.role.to_string(),
        last_login: None,
        failed_logins: 0,
        locked_until: None,
        created_at: recorded.recorded_at,
        updated_at: recorded.recorded_at,
        created_by: actor,
        updated_by: actor,
        deleted_at: None,
    })?;
    identify(EMAIL, event.email.key(), recorded, rows)?;
    identify(USERNAME, event.username.key(), recorded, rows)
}

fn identify(kind: &str, key: String, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let (kind, key) = identifier(kind, key);
    rows.user_identifiers.insert(UserIdentifierRow {
        kind,
        key,
        user_id: recorded.stream_id,
        created_at: recorded.recorded_at,
        updated_at: recorded.recorded_at,
    })
}

/// A change of case alone leaves the identifier as it is.
fn rename(
    kind: &str,
    from: String,
    to: String,
    recorded: &Recorded,
    rows: &mut Rows,
) -> Result<(), Fault> {
    if from == to {
        return Ok(());
    }
    rows.user_identifiers.delete(&identifier(kind, from))?;
    identify(kind, to, recorded, rows)
}

fn status(recorded: &Recorded, rows: &mut Rows, status: UserStatus) -> Result<(), Fault> {
    change(recorded, rows, |user| user.status = status.to_string())
}

fn change(
    recorded: &Recorded,
    rows: &mut Rows,
    change: impl FnOnce(&mut UserRow),
) -> Result<(), Fault> {
    rows.users.update(&(recorded.stream_id,), |user| {
        change(user);
        user.updated_at = recorded.recorded_at;
        user.updated_by = recorded.metadata.actor_id;
    })
}
