use super::*;
use crate::aggregate::RefusalSort::{Exists, NotFound, Rule};
use crate::aggregate::{Given, given};
use crate::testing::*;
use crate::values::UserRole;

const ID: Uuid = Uuid::from_u128(0x207);
const NOTHING: Decision = Ok(vec![]);

fn notified() -> NotificationEvent {
    Notified {
        user_id: ADA,
        title: personal("Your export is ready"),
        message: None,
        kind: NotificationKind::Info,
        link: None,
    }
    .into()
}

fn notify() -> Notify {
    Notify {
        user_id: ADA,
        title: personal("Your export is ready"),
        message: None,
        kind: NotificationKind::Info,
        link: None,
    }
}

fn past(events: impl IntoIterator<Item = NotificationEvent>) -> Given<Notification> {
    let user = Some(user(UserRole::User, UserStatus::Active));
    given(events).knowing(NotificationFacts { user })
}

fn asked() -> Context {
    asked_as(UserRole::Manager)
}

#[test]
fn it_tells_a_user_who_is_there() {
    assert_eq!(past([]).decide(notify(), &asked()), Ok(vec![notified()]));
    let decide = |user| {
        given::<Notification>([]).knowing(NotificationFacts { user }).decide(notify(), &asked())
    };
    for status in [UserStatus::Inactive, UserStatus::Suspended] {
        assert!(decide(Some(user(UserRole::User, status))).is_ok(), "{status}");
    }
    let says = format!("there is no user {ADA} to be told");
    assert_refused(decide(None), Rule, "user-not-found", &says);
    assert_refused(decide(Some(User::default())), Rule, "user-not-found", &says);
    let gone = decide(Some(user(UserRole::User, UserStatus::Deleted)));
    assert_refused(
        gone,
        Rule,
        "user-deleted",
        &format!("the user {ADA} is deleted and is told nothing"),
    );
    let again = past([notified()]).decide(notify(), &asked());
    let says = "this notification was given already";
    assert_refused(again, Exists, "notification-already-given", says);
}

#[test]
fn it_is_read_once_and_dismissed_once() {
    let given = past([notified()]);
    assert_eq!(given.decide(MarkRead {}, &asked()), Ok(vec![MarkedRead {}.into()]));
    assert_eq!(given.decide(Dismiss {}, &asked()), Ok(vec![Dismissed {}.into()]));
    let read = past([notified(), MarkedRead {}.into()]);
    assert_eq!(read.decide(MarkRead {}, &asked()), NOTHING);
    let done = past([notified(), Dismissed {}.into()]);
    assert_eq!(done.decide(Dismiss {}, &asked()), NOTHING);
    let late = done.decide(MarkRead {}, &asked());
    let says = "the notification is dismissed";
    assert_refused(late, Rule, "notification-dismissed", says);
    let both = past([notified(), MarkedRead {}.into(), Dismissed {}.into()]);
    assert_eq!(both.decide(MarkRead {}, &asked()), NOTHING);
}

#[test]
fn what_was_never_given_does_nothing() {
    let commands: [NotificationCommand; 2] = [MarkRead {}.into(), Dismiss {}.into()];
    for command in commands {
        assert_eq!(Notification::default().owner(ID, &command), None);
        let refused = past([]).decide(command, &asked());
        let says = "there is no such notification";
        assert_refused(refused, NotFound, "notification-not-found", says);
    }
}

#[test]
fn it_belongs_to_whom_it_tells() {
    assert_eq!(Notification::default().owner(ID, &notify().into()), Some(ADA));
    let state = past([notified()]).state;
    assert_eq!(state.owner(ID, &MarkRead {}.into()), Some(ADA));
    let effects = state.effects(ID, &notified());
    assert_eq!((effects.lifecycle, effects.references), (Lifecycle::Opens, vec![ADA]));
    let effects = state.effects(ID, &Dismissed {}.into());
    assert_eq!(effects.lifecycle, Lifecycle::Closes);
}
