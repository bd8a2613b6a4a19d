//! Requests that share a batch: one bad one never fails the others, and two that could both
//! win are never checked against the same past. On these tests' single thread, everything put
//! into the queue before the first await goes together where it may.

use daybook_store::{
    AppendError, AppendRequest, Appended, Appender, Chain, ClaimKey, Filter, Guard, HoldTaken,
    Life, NewEvent, lane_of,
};
use futures::future::join_all;
use uuid::Uuid;

use crate::check;
use crate::support::{TestLog, event, one, opening, put, request, write};

async fn together(
    appender: &Appender,
    requests: Vec<AppendRequest>,
) -> Vec<Result<Appended, AppendError>> {
    join_all(put(appender, requests)).await
}

fn with(stream: Uuid, expected: i64, event: NewEvent) -> AppendRequest {
    request(vec![write(stream, expected, vec![event])])
}

fn closing() -> NewEvent {
    NewEvent { life: Life::Closes, ..event("test.thing.closed") }
}

fn referring(to: Uuid) -> NewEvent {
    NewEvent { references: vec![to], ..event("test.thing.referred") }
}

fn key(key: &str) -> ClaimKey {
    ClaimKey { scope: "test.key", key: key.to_owned() }
}

#[tokio::test]
async fn what_the_database_refuses_fails_alone() {
    let test = TestLog::new().await;
    let (appender, _) = test.appender();
    let nul = NewEvent { data: r#"{"a": "\u0000"}"#.to_owned(), ..event("test.thing.happened") };
    let refused = appender.enqueue(with(Uuid::now_v7(), 0, nul));
    assert!(matches!(refused, Err(AppendError::Data(_))));
    // A number that only the database knows it cannot hold.
    let vast = NewEvent { data: r#"{"a": 1e400000}"#.to_owned(), ..event("test.thing.happened") };
    let mut requests: Vec<_> = (0..20).map(|_| one(Uuid::now_v7(), 0)).collect();
    requests[13] = with(Uuid::now_v7(), 0, vast);
    let answers = together(&appender, requests).await;
    for (n, answer) in answers.iter().enumerate() {
        match answer {
            Ok(_) => assert_ne!(n, 13),
            Err(error) => {
                assert_eq!(n, 13, "{error}");
                assert!(matches!(error, AppendError::Data(_)), "{error}");
            }
        }
    }
    check::invariants(&test).await;
}

#[tokio::test]
async fn a_hot_stream_is_folded_into_one_batch() {
    let test = TestLog::new().await;
    let (appender, _) = test.appender();
    let stream = Uuid::now_v7();
    let before = test.batches().await;
    let answers = together(&appender, (0..50).map(|n| one(stream, n)).collect()).await;
    let versions: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().version).collect();
    assert_eq!(versions, (1..=50).collect::<Vec<_>>());
    assert_eq!(test.batches().await, before + 1);
    check::invariants(&test).await;
}

#[tokio::test]
async fn what_was_decided_on_a_request_that_failed_is_decided_again() {
    let test = TestLog::new().await;
    let (appender, _) = test.appender();
    let (stream, other) = (Uuid::now_v7(), Uuid::now_v7());
    appender
        .append(with(
            Uuid::now_v7(),
            0,
            NewEvent { claims: vec![key("a")], ..opening("test.thing.opened") },
        ))
        .await
        .unwrap();
    let chain = Chain::new();
    let mut failing =
        with(stream, 0, NewEvent { claims: vec![key("a")], ..opening("test.thing.opened") });
    failing.chains.push(chain.clone());
    let mut elsewhere = one(other, 0);
    elsewhere.chains.push(chain.clone());
    let answers = together(
        &appender,
        vec![failing, one(stream, 1), elsewhere.clone(), one(Uuid::now_v7(), 0)],
    )
    .await;
    assert!(matches!(answers[0], Err(AppendError::Claimed { .. })), "{answers:?}");
    assert_eq!(answers[1], Err(AppendError::Moved));
    assert_eq!(answers[2], Err(AppendError::Moved));
    assert!(answers[3].is_ok());
    assert!(chain.is_broken());
    assert_eq!(appender.append(elsewhere).await, Err(AppendError::Moved));
    assert_eq!(test.log().stream_head(stream).await.unwrap(), None);
    assert_eq!(test.log().stream_head(other).await.unwrap(), None);
    check::invariants(&test).await;
}

#[tokio::test]
async fn two_requests_for_one_version_have_one_winner() {
    let test = TestLog::new().await;
    let (appender, _) = test.appender();
    let stream = Uuid::now_v7();
    let answers = together(&appender, vec![one(stream, 0), one(stream, 0)]).await;
    assert!(answers[0].is_ok());
    assert_eq!(answers[1], Err(AppendError::Conflict { stream, expected: 0, actual: 1 }));
    // One command twice at once: one answer.
    let twice = one(stream, 1);
    let answers = together(&appender, vec![twice.clone(), twice]).await;
    let [Ok(first), Ok(second)] = &answers[..] else { panic!("{answers:?}") };
    assert!(!first.replayed && second.replayed && first.position == second.position);
    check::invariants(&test).await;
}

#[tokio::test]
async fn guards_see_their_batch_mates() {
    let test = TestLog::new().await;
    let (appender, _) = test.appender();
    let (one_stream, other) = (Uuid::now_v7(), Uuid::now_v7());
    together(&appender, vec![one(one_stream, 0), one(other, 0)]).await;
    // Each may go only if the other did not: both at once would be neither order.
    let mut first = one(one_stream, 1);
    first.guards.push(Guard { stream_id: other, version: 1 });
    let mut second = one(other, 1);
    second.guards.push(Guard { stream_id: one_stream, version: 1 });
    let answers = together(&appender, vec![first, second]).await;
    assert!(answers[0].is_ok());
    assert_eq!(answers[1], Err(AppendError::Moved));
}

#[tokio::test]
async fn a_claim_is_released_and_taken_in_one_order() {
    let test = TestLog::new().await;
    let (appender, _) = test.appender();
    let (holder, heir, late) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    appender
        .append(with(
            holder,
            0,
            NewEvent { claims: vec![key("x")], ..opening("test.thing.opened") },
        ))
        .await
        .unwrap();
    let take = || NewEvent { claims: vec![key("x")], ..opening("test.thing.opened") };
    let release = NewEvent { releases: vec![key("x")], ..event("test.thing.happened") };
    let answers = together(
        &appender,
        vec![with(holder, 1, release), with(heir, 0, take()), with(late, 0, take())],
    )
    .await;
    assert!(answers[0].is_ok() && answers[1].is_ok(), "{answers:?}");
    let taken =
        AppendError::Claimed { scope: "test.key".to_owned(), key: "x".to_owned(), holder: heir };
    assert_eq!(answers[2], Err(taken));
    // The heir's event waits for the release, if that is in another lane.
    let log = test.log();
    let released = &log.stream(holder, 1, None).await.unwrap()[0];
    let took = &log.stream(heir, 0, None).await.unwrap()[0];
    let waits = took
        .after
        .iter()
        .any(|after| (after.lane, after.lane_seq) == (released.lane, released.lane_seq));
    assert_eq!(waits, released.lane != took.lane);
    check::invariants(&test).await;
}

#[tokio::test]
async fn owners_swap_keys_in_one_request_through_a_third() {
    let test = TestLog::new().await;
    let (appender, _) = test.appender();
    let (a, b) = (Uuid::now_v7(), Uuid::now_v7());
    for (stream, name) in [(a, "x"), (b, "y")] {
        let opened = NewEvent { claims: vec![key(name)], ..opening("test.thing.opened") };
        appender.append(with(stream, 0, opened)).await.unwrap();
    }
    let moves = |from: &str, to: &str| NewEvent {
        releases: vec![key(from)],
        claims: vec![key(to)],
        ..event("test.thing.renamed")
    };
    let park =
        request(vec![write(a, 1, vec![moves("x", "parked")]), write(b, 1, vec![moves("y", "x")])]);
    appender.append(park).await.unwrap();
    appender.append(with(a, 2, moves("parked", "y"))).await.unwrap();
    let stolen = appender
        .append(with(a, 3, NewEvent { claims: vec![key("x")], ..event("test.thing.renamed") }))
        .await;
    assert!(
        matches!(stolen, Err(AppendError::Claimed { holder, .. }) if holder == b),
        "{stolen:?}"
    );
    check::invariants(&test).await;
}

#[tokio::test]
async fn a_stream_is_closed_or_referred_to() {
    let test = TestLog::new().await;
    let (appender, _) = test.appender();
    let (target, session) = (Uuid::now_v7(), Uuid::now_v7());
    let missing = appender.append(with(session, 0, referring(target))).await;
    assert_eq!(missing, Err(AppendError::ReferenceMissing { stream: target }));
    appender.append(with(target, 0, opening("test.thing.opened"))).await.unwrap();
    let hold =
        NewEvent { holds: vec![HoldTaken { target, expires_at: None }], ..referring(target) };
    let answers =
        together(&appender, vec![with(session, 0, hold), with(target, 1, closing())]).await;
    assert!(answers[0].is_ok(), "{answers:?}");
    assert_eq!(answers[1], Err(AppendError::Held { stream: target, holders: vec![session] }));
    let unhold = NewEvent { unholds: vec![target], ..event("test.thing.happened") };
    let end = request(vec![write(session, 1, vec![unhold]), write(target, 1, vec![closing()])]);
    let answers = together(&appender, vec![end, with(Uuid::now_v7(), 0, referring(target))]).await;
    assert!(answers[0].is_ok(), "{answers:?}");
    assert_eq!(answers[1], Err(AppendError::ReferenceClosed { stream: target }));
    check::invariants(&test).await;
}

#[tokio::test]
async fn a_reference_within_a_request_is_a_dependency_within_it() {
    let test = TestLog::new().await;
    let (appender, _) = test.appender();
    for _ in 0..8 {
        let (parent, child) = (Uuid::now_v7(), Uuid::now_v7());
        let both = request(vec![
            write(parent, 0, vec![opening("test.thing.opened")]),
            write(
                child,
                0,
                vec![NewEvent { references: vec![parent], ..opening("test.thing.opened") }],
            ),
        ]);
        appender.append(both).await.unwrap();
        let made = &test.log().stream(parent, 0, None).await.unwrap()[0];
        let refers = &test.log().stream(child, 0, None).await.unwrap()[0];
        let waits = refers
            .after
            .iter()
            .any(|after| (after.lane, after.lane_seq) == (made.lane, made.lane_seq));
        assert_eq!(waits, made.lane != refers.lane);
    }
    let (parent, child) = (Uuid::now_v7(), Uuid::now_v7());
    let backwards = request(vec![
        write(child, 0, vec![referring(parent)]),
        write(parent, 0, vec![opening("test.thing.opened")]),
    ]);
    assert!(matches!(appender.append(backwards).await, Err(AppendError::Data(_))));
    check::invariants(&test).await;
}

#[tokio::test]
async fn a_removal_is_posted_after_everything_before_it() {
    let test = TestLog::new().await;
    let (appender, _) = test.appender();
    let (kept, removed) = (Uuid::now_v7(), Uuid::now_v7());
    together(&appender, vec![one(kept, 0), one(removed, 0)]).await;
    let removal = NewEvent { life: Life::Removes, ..event("test.thing.removed") };
    // Its companion in the same request comes first; what comes after it is not waited for.
    let mut request = one(kept, 1);
    request.writes.push(write(removed, 1, vec![removal.clone()]));
    let later = Uuid::now_v7();
    request.writes.push(write(later, 0, vec![opening("test.thing.opened")]));
    appender.append(request).await.unwrap();
    let log = test.log();
    let removal = log.stream(removed, 1, None).await.unwrap().remove(0);
    let mut expected: std::collections::BTreeMap<i16, i64> = std::collections::BTreeMap::new();
    for event in log.page(0, &Filter::default(), 1000).await.unwrap().events {
        if event.position < removal.position && event.lane != removal.lane {
            expected.insert(event.lane, event.lane_seq);
        }
    }
    let found = removal.after.iter().map(|after| (after.lane, after.lane_seq)).collect();
    assert_eq!(expected, found);
    assert!(expected.contains_key(&lane_of(kept)) || lane_of(kept) == removal.lane);
    // It is closed for good, and nobody refers to it any more.
    let referring = with(
        Uuid::now_v7(),
        0,
        NewEvent { references: vec![removed], ..opening("test.thing.opened") },
    );
    assert_eq!(
        appender.append(referring).await,
        Err(AppendError::ReferenceClosed { stream: removed })
    );
    check::invariants(&test).await;
}

#[tokio::test]
async fn what_is_held_is_not_removed_and_its_holders_are_known() {
    let test = TestLog::new().await;
    let (appender, _) = test.appender();
    let (target, holder, lapsed) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    together(&appender, vec![one(target, 0)]).await;
    let hold = |expires_at| NewEvent {
        holds: vec![HoldTaken { target, expires_at }],
        ..opening("test.thing.opened")
    };
    appender.append(with(holder, 0, hold(None))).await.unwrap();
    let past = chrono::Utc::now() - chrono::Duration::hours(1);
    appender.append(with(lapsed, 0, hold(Some(past)))).await.unwrap();
    assert_eq!(test.log().holders(target, 10).await.unwrap(), vec![holder]);
    let removal =
        || with(target, 1, NewEvent { life: Life::Removes, ..event("test.thing.removed") });
    assert_eq!(
        appender.append(removal()).await,
        Err(AppendError::Held { stream: target, holders: vec![holder] })
    );
    // Who lets go of it in the same request no longer stands in the way.
    let mut request = removal();
    request.writes.push(write(
        holder,
        1,
        vec![NewEvent { unholds: vec![target], ..event("test.thing.happened") }],
    ));
    appender.append(request).await.unwrap();
    assert!(test.log().holders(target, 10).await.unwrap().is_empty());
    check::invariants(&test).await;
}
