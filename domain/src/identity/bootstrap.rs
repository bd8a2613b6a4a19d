//! The first events of a log: the users that are parts of the service, and the built-in roles.
//!
//! Everything that anyone does names a user who did it. These three are there
//! before anyone is, registered by the first of them, itself included. The built-in roles are
//! roles like others, so that lists of roles have them and users can be assigned them.

use uuid::Uuid;

use super::role::RoleEvent;
use super::role::events::Created;
use super::user::UserEvent;
use super::user::events::Registered;
use crate::context::{IMPORTER_USER, SCHEDULER_USER, SYSTEM_USER};
use crate::values::{PasswordHash, Personal, UserRole};

/// The parts of the service that are users, each with its first event, in the
/// order in which they are appended. The actor of all is [`crate::context::Actor::system`].
#[must_use]
pub fn system_users() -> [(Uuid, UserEvent); 3] {
    [
        (SYSTEM_USER, registered("system", "Daybook System")),
        (IMPORTER_USER, registered("importer", "Daybook Importer")),
        (SCHEDULER_USER, registered("scheduler", "Daybook Scheduler")),
    ]
}

/// The stream of a built-in role.
#[must_use]
pub const fn role_stream(role: UserRole) -> Uuid {
    let n = match role {
        UserRole::Admin => 0,
        UserRole::Manager => 1,
        UserRole::User => 2,
        UserRole::Viewer => 3,
        UserRole::Auditor => 4,
    };
    Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0020 + n)
}

/// The built-in roles, each with its first event. The actor of all is
/// [`crate::context::Actor::system`].
#[must_use]
pub fn system_roles() -> [(Uuid, RoleEvent); 5] {
    let created = |role: UserRole, description: &str| {
        let fits = "a constant that fits its type";
        let event = Created {
            name: role.as_str().parse().expect(fits),
            description: Some(description.parse().expect(fits)),
            is_system: true,
        };
        (role_stream(role), event.into())
    };
    [
        created(UserRole::Admin, "Everything"),
        created(UserRole::Manager, "Everything but identity administration"),
        created(UserRole::User, "What is their own"),
        created(UserRole::Viewer, "Reads"),
        created(UserRole::Auditor, "Reads everything, and history"),
    ]
}

fn registered(username: &str, full_name: &str) -> UserEvent {
    let fits = "a constant that fits its type";
    let (first, last) = full_name.split_once(' ').expect(fits);
    UserEvent::Registered(Registered {
        username: Personal(username.parse().expect(fits)),
        // A top-level domain that no mail reaches (RFC 2606).
        email: Personal(format!("{username}@daybook.invalid").parse().expect(fits)),
        full_name: Personal(full_name.parse().expect(fits)),
        first_name: Personal(first.parse().expect(fits)),
        last_name: Personal(last.parse().expect(fits)),
        phone: None,
        password_hash: PasswordHash::unusable(),
        role: UserRole::Admin,
        is_system: true,
        verification_token_hash: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::{Aggregate, Lifecycle, fold};
    use crate::identity::user::User;

    #[test]
    fn they_open_their_streams_under_names_of_their_own() {
        let users = system_users();
        let mut claims: Vec<_> = users
            .iter()
            .flat_map(|(id, event)| {
                let effects = User::default().effects(*id, event);
                assert_eq!(effects.lifecycle, Lifecycle::Opens);
                effects.claims
            })
            .collect();
        claims.sort();
        claims.dedup();
        assert_eq!(claims.len(), 6, "an email and a username each");
        assert_eq!(users[0].0, SYSTEM_USER, "the actor of all three comes first");
    }

    #[test]
    fn every_built_in_role_is_there_under_its_own_name() {
        use crate::identity::role::Role;
        let roles = system_roles();
        let streams: std::collections::BTreeSet<Uuid> = roles.iter().map(|(id, _)| *id).collect();
        assert_eq!(streams, UserRole::ALL.iter().map(|role| role_stream(*role)).collect());
        for (stream, event) in roles {
            let role: Role = fold(&[event]);
            let named = role.standing().expect("it stands");
            let built_in = UserRole::ALL.iter().find(|role| role.as_str() == named.name.as_str());
            assert_eq!(built_in.copied().map(role_stream), Some(stream));
            assert!(named.is_system);
        }
    }

    #[test]
    fn they_are_active_but_no_administrators_of_whom_one_must_stay() {
        for (_, event) in system_users() {
            let user: User = fold(&[event]);
            assert!(user.is_active());
            assert!(!user.counts_as_admin());
        }
    }
}
