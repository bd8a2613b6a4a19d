//! The first events of a log: the users that are parts of the service.
//!
//! Everything that anyone does names a user who did it. These three are there
//! before anyone is, registered by the first of them, itself included.

use uuid::Uuid;

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
    fn they_are_active_but_no_administrators_of_whom_one_must_stay() {
        for (_, event) in system_users() {
            let user: User = fold(&[event]);
            assert!(user.is_active());
            assert!(!user.counts_as_admin());
        }
    }
}
