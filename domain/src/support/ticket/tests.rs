use proptest::prelude::*;
use serde_json::json;

use super::commands::{Assign, Await, Close, Note, Open, Reopen, Requeue, Resolve, Start, Triage};
use super::events::{
    Assigned, Awaited, Closed, Noted, Opened, Reopened, Requeued, Resolved, Started, Triaged,
};
use super::*;
use crate::aggregate::{Given, RefusalSort, given};
use crate::testing::{ADA, BOB, after_noon, asked_as, assert_refused, noon, personal, user, value};
use crate::values::{UserRole, UserStatus, WaitsFor};

use RefusalSort::{Exists, Forbidden, NotFound, Rule};

type Decision = Result<Vec<TicketEvent>, TicketError>;

const NOTHING: Decision = Ok(vec![]);

fn one(event: impl Into<TicketEvent>) -> Decision {
    Ok(vec![event.into()])
}

fn agent() -> Context {
    asked_as(UserRole::Manager)
}

/// Asked so many days after noon.
fn days_later(days: i64) -> Context {
    Context { now: noon() + Duration::days(days), ..agent() }
}

fn open() -> Open {
    serde_json::from_value(json!({
        "user_id": ADA, "title": "No network", "description": "Since nine.\nAll of it.",
    }))
    .expect("a command")
}

fn opened() -> TicketEvent {
    Opened {
        user_id: ADA,
        title: personal("No network"),
        description: personal("Since nine.\nAll of it."),
        priority: TicketPriority::Medium,
        category: None,
        assigned_to: None,
        assigned_group: None,
    }
    .into()
}

fn assigned(person: Option<Uuid>, group: Option<&str>) -> Assigned {
    Assigned { assigned_to: person, assigned_group: group.map(value) }
}

fn assign(person: Option<Uuid>, group: Option<&str>) -> Assign {
    Assign { assigned_to: person, assigned_group: group.map(value) }
}

fn resolved() -> TicketEvent {
    Resolved { resolution: Some(personal("Plugged in")) }.into()
}

fn closed() -> TicketEvent {
    Closed { closed_at: noon(), reason: None }.into()
}

fn facts(status: UserStatus) -> TicketFacts {
    let state = user(UserRole::User, status);
    TicketFacts { users: [(ADA, state.clone()), (BOB, state)].into() }
}

fn past(events: impl IntoIterator<Item = TicketEvent>) -> Given<Ticket> {
    let events = std::iter::once(opened()).chain(events);
    given::<Ticket>(events).knowing(facts(UserStatus::Active))
}

fn status(given: &Given<Ticket>) -> TicketStatus {
    given.state.case().expect("a ticket").status
}

#[test]
fn it_is_opened_once_for_a_user_who_is_active() {
    let new = || given::<Ticket>([]);
    assert_eq!(new().knowing(facts(UserStatus::Active)).decide(open(), &agent()), one(opened()));
    let again = past([]).decide(open(), &agent());
    assert_refused(again, Exists, "ticket-already-opened", "there is a ticket of this id already");
    let says = format!("there is no user {ADA} to open a ticket for");
    assert_refused(new().decide(open(), &agent()), Rule, "owner-not-found", &says);
    for status in [UserStatus::Inactive, UserStatus::Suspended, UserStatus::Deleted] {
        let refused = new().knowing(facts(status)).decide(open(), &agent());
        let says = format!("the user {ADA} is {status}, not active");
        assert_refused(refused, Rule, "owner-not-active", &says);
    }
}

#[test]
fn managers_may_say_at_once_who_works_on_it() {
    let assigning = Open {
        assigned_to: Some(BOB),
        assigned_group: Some(value("Network")),
        category: Some(value("network")),
        priority: TicketPriority::High,
        ..open()
    };
    let new = || given::<Ticket>([]).knowing(facts(UserStatus::Active));
    let events = new().decide(assigning.clone(), &agent()).expect("opened");
    let case = given::<Ticket>(events).state.case().cloned().expect("a ticket");
    assert_eq!(case.assigned_to, Some(BOB));
    assert_eq!(case.assigned_group, Some(value("Network")));
    assert_eq!((case.priority, case.category), (TicketPriority::High, Some(value("network"))));
    let refused = new().decide(assigning.clone(), &asked_as(UserRole::User));
    let says = "who works on a ticket is for a manager to say, not for the role user";
    assert_refused(refused, Forbidden, "assigning-needs-manager", says);
    let nobody = TicketFacts { users: [(ADA, user(UserRole::User, UserStatus::Active))].into() };
    let refused = new().knowing(nobody).decide(assigning, &agent());
    let says = format!("there is no user {BOB} to work on it");
    assert_refused(refused, Rule, "assignee-not-found", &says);
}

#[test]
fn triage_says_everything_anew() {
    let triage = |category: Option<&str>| Triage {
        priority: TicketPriority::High,
        category: category.map(value),
    };
    let triaged = |category: Option<&str>| Triaged {
        priority: TicketPriority::High,
        category: category.map(value),
    };
    assert_eq!(past([]).decide(triage(Some("mail")), &agent()), one(triaged(Some("mail"))));
    let done = past([triaged(Some("mail")).into()]);
    assert_eq!(done.decide(triage(Some("mail")), &agent()), NOTHING);
    assert_eq!(done.decide(triage(None), &agent()), one(triaged(None)));
    let as_it_is = Triage { priority: TicketPriority::Medium, category: None };
    assert_eq!(past([closed()]).decide(as_it_is, &agent()), NOTHING);
    let refused = past([closed()]).decide(triage(None), &agent());
    assert_refused(refused, Rule, "ticket-not-open", "the ticket is closed; reopen it first");
}

#[test]
fn a_person_a_group_both_or_nobody_work_on_it() {
    for (person, group) in [(Some(BOB), None), (None, Some("Mail")), (Some(BOB), Some("Mail"))] {
        let changed = past([]).decide(assign(person, group), &agent());
        assert_eq!(changed, one(assigned(person, group)));
        let so = past([assigned(person, group).into()]);
        assert_eq!(so.decide(assign(person, group), &agent()), NOTHING);
        assert_eq!(so.decide(assign(None, None), &agent()), one(assigned(None, None)));
    }
    let afterwards = past([resolved()]).decide(assign(Some(BOB), None), &agent());
    assert_eq!(afterwards, one(assigned(Some(BOB), None)));
    let refused = past([closed()]).decide(assign(Some(BOB), None), &agent());
    assert_refused(refused, Rule, "ticket-not-open", "the ticket is closed; reopen it first");
}

#[test]
fn whoever_works_on_it_is_active() {
    let refused = past([]).knowing(TicketFacts::default());
    let refused = refused.decide(assign(Some(BOB), None), &agent());
    let says = format!("there is no user {BOB} to work on it");
    assert_refused(refused, Rule, "assignee-not-found", &says);
    for status in [UserStatus::Inactive, UserStatus::Suspended, UserStatus::Deleted] {
        let gone = || past([assigned(Some(BOB), None).into()]).knowing(facts(status));
        // Whoever has it may have gone since: only the group changes.
        let group = gone().decide(assign(Some(BOB), Some("Mail")), &agent());
        assert_eq!(group, one(assigned(Some(BOB), Some("Mail"))));
        let refused = gone().decide(assign(Some(ADA), None), &agent());
        let says = format!("{ADA}, who is to work on it, is {status}, not active");
        assert_refused(refused, Rule, "assignee-not-active", &says);
    }
}

#[test]
fn every_open_state_leads_to_every_other() {
    let moves: Vec<(TicketCommand, TicketEvent)> = vec![
        (Requeue {}.into(), Requeued {}.into()),
        (Start {}.into(), Started {}.into()),
        (Await { on: WaitsFor::User }.into(), Awaited { on: WaitsFor::User }.into()),
        (Await { on: WaitsFor::Vendor }.into(), Awaited { on: WaitsFor::Vendor }.into()),
        (Await { on: WaitsFor::Problem }.into(), Awaited { on: WaitsFor::Problem }.into()),
        (Await { on: WaitsFor::Evidence }.into(), Awaited { on: WaitsFor::Evidence }.into()),
    ];
    for (_, from) in &moves {
        for (command, event) in &moves {
            let stands = past([from.clone()]);
            let expected = if from == event { NOTHING } else { one(event.clone()) };
            assert_eq!(stands.decide(command.clone(), &agent()), expected, "{from:?}");
        }
        let stands = past([from.clone()]);
        assert!(status(&stands).is_open());
        let solved = Resolve { resolution: Some(personal("Plugged in")) };
        assert_eq!(stands.decide(solved, &agent()), one(resolved()));
        assert_eq!(stands.decide(Close { reason: None }, &agent()), one(closed()));
        assert_eq!(stands.decide(Reopen { reason: None }, &agent()), NOTHING);
    }
    for (end, says) in [(resolved(), "resolved"), (closed(), "closed")] {
        for (command, _) in &moves {
            let says = format!("the ticket is {says}; reopen it first");
            let refused = past([end.clone()]).decide(command.clone(), &agent());
            assert_refused(refused, Rule, "ticket-not-open", &says);
        }
    }
}

#[test]
fn what_is_resolved_is_closed_and_not_the_other_way_round() {
    let resolve = || Resolve { resolution: None };
    assert_eq!(past([resolved()]).decide(resolve(), &agent()), NOTHING);
    assert_eq!(past([resolved()]).decide(Close { reason: None }, &agent()), one(closed()));
    assert_eq!(past([closed()]).decide(Close { reason: None }, &agent()), NOTHING);
    let refused = past([closed()]).decide(resolve(), &agent());
    assert_refused(refused, Rule, "ticket-not-open", "the ticket is closed; reopen it first");
}

#[test]
fn it_is_reopened_from_resolved_at_any_time_and_from_closed_for_thirty_days() {
    let reopen = || Reopen { reason: Some(personal("again")) };
    let again = one(Reopened { reason: Some(personal("again")) });
    assert_eq!(past([resolved()]).decide(reopen(), &days_later(3_000)), again);
    assert_eq!(past([resolved(), closed()]).decide(reopen(), &days_later(30)), again);
    let late = Context { now: noon() + Duration::days(30) + Duration::seconds(1), ..agent() };
    let refused = past([closed()]).decide(reopen(), &late);
    let says = "a closed ticket is reopened within 30 days: this one was closed at 2023-11-14T22:13:20Z, and it is 2023-12-14T22:13:21Z";
    assert_refused(refused, Rule, "ticket-closed-too-long", says);
    // What counts is when it happened, not when it was told.
    let told_late = Context { occurred_at: Some(after_noon(5)), ..late };
    assert_eq!(past([closed()]).decide(reopen(), &told_late), again);
    let open_again = past([closed(), Reopened { reason: None }.into()]);
    assert_eq!(status(&open_again), TicketStatus::Open);
    assert_eq!(open_again.state.case().and_then(|case| case.closed_at), None);
}

#[test]
fn closing_is_counted_from_when_it_happened() {
    let context = Context { occurred_at: Some(after_noon(-90)), ..agent() };
    let closed = past([resolved()]).decide(Close { reason: None }, &context);
    assert_eq!(closed, one(Closed { closed_at: after_noon(-90), reason: None }));
}

#[test]
fn notes_are_taken_at_any_time() {
    let note = || Note { text: personal("Called back") };
    let noted = one(Noted { text: personal("Called back") });
    for events in [vec![], vec![resolved()], vec![closed()]] {
        let before = past(events);
        assert_eq!(before.decide(note(), &days_later(400)), noted);
        let mut after = before.state.clone();
        after.apply(&Noted { text: personal("Called back") }.into());
        assert_eq!(after, before.state);
    }
}

#[test]
fn nothing_is_asked_of_no_ticket() {
    let commands: [TicketCommand; 9] = [
        Triage { priority: TicketPriority::Low, category: None }.into(),
        assign(None, None).into(),
        Start {}.into(),
        Await { on: WaitsFor::User }.into(),
        Requeue {}.into(),
        Note { text: personal("x") }.into(),
        Resolve { resolution: None }.into(),
        Reopen { reason: None }.into(),
        Close { reason: None }.into(),
    ];
    for command in commands {
        let ticket = given::<Ticket>([]);
        assert_eq!(ticket.state.owner(BOB, &command), None);
        let refused = ticket.decide(command, &agent());
        assert_refused(refused, NotFound, "ticket-not-found", "there is no such ticket");
    }
}

#[test]
fn it_belongs_to_whom_it_was_opened_for_and_refers_to_those_who_are_named() {
    assert_eq!(Ticket::default().owner(BOB, &open().into()), Some(ADA));
    assert_eq!(past([]).state.owner(BOB, &Start {}.into()), Some(ADA));
    let both = Open { assigned_to: Some(BOB), ..open() };
    assert_eq!(Ticket::default().reads(&both.into()), [ADA, BOB]);
    assert_eq!(past([]).state.reads(&assign(Some(BOB), None).into()), [BOB]);
    let opens = Ticket::default().effects(BOB, &opened());
    assert_eq!((opens.lifecycle, opens.references), (Lifecycle::Opens, vec![ADA]));
    let first = past([]).state.effects(BOB, &assigned(Some(BOB), None).into());
    assert_eq!(first.references, [BOB]);
    let has = past([assigned(Some(BOB), None).into()]).state;
    assert!(has.effects(BOB, &assigned(Some(BOB), Some("Mail")).into()).references.is_empty());
    assert_eq!(has.effects(BOB, &closed()), Effects::default());
}

/// One of everything that can be asked of a ticket that is there.
fn any_command() -> impl Strategy<Value = TicketCommand> {
    prop_oneof![
        Just(Start {}.into()),
        Just(Requeue {}.into()),
        Just(Await { on: WaitsFor::User }.into()),
        Just(Await { on: WaitsFor::Vendor }.into()),
        Just(Resolve { resolution: None }.into()),
        Just(Reopen { reason: None }.into()),
        Just(Close { reason: None }.into()),
        Just(Note { text: personal("x") }.into()),
        Just(assign(Some(BOB), None).into()),
        Just(assign(None, Some("Mail")).into()),
    ]
}

proptest! {
    #[test]
    fn whatever_is_asked_it_stands_somewhere(
        asked in proptest::collection::vec((any_command(), 0_i64..40), 1..40),
    ) {
        let mut state = past([]).state;
        let mut day = 0;
        for (command, later) in asked {
            day += later;
            let context = days_later(day);
            let facts = facts(UserStatus::Active);
            let before = state.case().cloned().expect("a ticket");
            let Ok(events) = state.decide(&command, &facts, &context) else { continue };
            for event in &events {
                state.apply(event);
            }
            let case = state.case().expect("a ticket");
            prop_assert_eq!(case.closed_at.is_some(), case.status == TicketStatus::Closed);
            let was_closed = before.status == TicketStatus::Closed;
            if was_closed && case.status != TicketStatus::Closed {
                let until = before.reopens_until().expect("it was closed");
                prop_assert!(context.now <= until && case.status == TicketStatus::Open);
            }
            // The same again appends nothing but notes.
            let again = state.decide(&command, &facts, &context);
            prop_assert!(again == Ok(vec![]) || matches!(command, TicketCommand::Note(_)));
        }
    }
}
