//! Two batches under way at a time: the second leaves while the first has no answer, and takes
//! nothing along that has to do with the first.

use std::time::Duration;

use daybook_store::{AppendError, AppendRequest, Chain, ClaimKey, Guard, Life, NewEvent};
use sqlx::{ConnectOptions, PgConnection};
use uuid::Uuid;

use crate::check;
use crate::support::{TestLog, event, one, opening, put, request, write};

/// So many events are worth a second batch.
const MANY: usize = 70;

/// Whoever appends waits for its turn as long as this is there.
struct Turn(PgConnection);

impl Turn {
    async fn taken(test: &TestLog) -> Self {
        let mut connection = test.administrator.connect().await.unwrap();
        let lock = "SELECT pg_advisory_lock(5846072195403715300)";
        sqlx::raw_sql(lock).execute(&mut connection).await.unwrap();
        Self(connection)
    }

    async fn given_back(mut self) {
        let unlock = "SELECT pg_advisory_unlock(5846072195403715300)";
        sqlx::raw_sql(unlock).execute(&mut self.0).await.unwrap();
    }
}

/// How many batches wait for their turn.
async fn waiting(test: &TestLog) -> i64 {
    let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    test.ask(waiting).await
}

/// Waits until so many batches wait for their turn.
async fn under_way(test: &TestLog, batches: i64) {
    for _ in 0..500 {
        if waiting(test).await >= batches {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{batches} batches are not under way after 5 s");
}

fn fresh(count: usize) -> Vec<Uuid> {
    std::iter::repeat_with(Uuid::now_v7).take(count).collect()
}

fn begun(streams: &[Uuid]) -> impl Iterator<Item = AppendRequest> {
    streams.iter().map(|stream| one(*stream, 0))
}

fn claiming(stream: Uuid, key: &str) -> AppendRequest {
    let claims = vec![ClaimKey { scope: "test.key", key: key.to_owned() }];
    let opened = NewEvent { claims, ..opening("test.thing.opened") };
    request(vec![write(stream, 0, vec![opened])])
}

/// The first batch has one request that is refused, so that all others of it are sent again, behind
/// the second batch. Whatever rests on the first must not be in the second.
#[tokio::test]
async fn what_rests_on_a_batch_under_way_waits_for_its_answers() {
    let test = TestLog::new().await;
    let (appender, _) = test.appender();
    appender.append(claiming(Uuid::now_v7(), "taken")).await.unwrap();

    let turn = Turn::taken(&test).await;
    let (first, second) = (fresh(MANY), fresh(MANY));
    let chain = Chain::new();
    let mut refused = claiming(Uuid::now_v7(), "taken");
    refused.chains.push(chain.clone());
    let refused = appender.enqueue(refused).unwrap();
    let last = one(Uuid::now_v7(), 0);
    let again = last.clone();
    let firsts = put(&appender, begun(&first).chain([last]));
    let gone = Uuid::now_v7();
    let opened = appender.enqueue(claiming(gone, "free")).unwrap();
    under_way(&test, 1).await;

    // Written after it, read with it, referred to, asked again, decided on.
    let next = put(&appender, first[1..].iter().map(|stream| one(*stream, 1)));
    let mut guarded = one(Uuid::now_v7(), 0);
    guarded.guards.push(Guard { stream_id: first[0], version: 1 });
    let referring = NewEvent { references: vec![first[1]], ..event("test.thing.referred") };
    let referring = request(vec![write(Uuid::now_v7(), 0, vec![referring])]);
    let mut rests_on = one(Uuid::now_v7(), 0);
    rests_on.chains.push(chain);
    let resting = put(&appender, [guarded, referring]);
    let lost = appender.enqueue(rests_on).unwrap();
    let once_more = appender.enqueue(again).unwrap();
    let released = NewEvent {
        releases: vec![ClaimKey { scope: "test.key", key: "free".to_owned() }],
        life: Life::Closes,
        ..event("test.thing.closed")
    };
    let released = appender.enqueue(request(vec![write(gone, 1, vec![released])])).unwrap();
    let taken_over = appender.enqueue(claiming(Uuid::now_v7(), "free")).unwrap();
    let seconds = put(&appender, begun(&second));
    under_way(&test, 2).await;
    turn.given_back().await;

    assert!(matches!(refused.await, Err(AppendError::Claimed { .. })));
    assert_eq!(lost.await, Err(AppendError::Moved));
    let mut positions = Vec::new();
    for answer in firsts {
        positions.push(answer.await.unwrap().position);
    }
    opened.await.unwrap();
    for (first, answer) in positions[1..].iter().zip(next) {
        let answer = answer.await.unwrap();
        assert_eq!(answer.version, 2);
        assert!(answer.position > *first);
    }
    for answer in resting {
        answer.await.unwrap();
    }
    let once_more = once_more.await.unwrap();
    assert!(once_more.replayed);
    assert_eq!(Some(&once_more.position), positions.last());
    released.await.unwrap();
    taken_over.await.unwrap();
    // These went before the first batch came to its end.
    for answer in seconds {
        assert!(answer.await.unwrap().position < positions[0]);
    }
    check::invariants(&test).await;
}

/// Few requests share one batch, however they come: a second one would only be another wait for the
/// disk.
#[tokio::test]
async fn a_few_wait_for_the_next_batch() {
    let test = TestLog::new().await;
    let (appender, _) = test.appender();
    let before = test.batches().await;
    let turn = Turn::taken(&test).await;
    let first = put(&appender, begun(&fresh(3)));
    under_way(&test, 1).await;
    let rest = put(&appender, begun(&fresh(10)));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(waiting(&test).await, 1);
    turn.given_back().await;
    for answer in first.into_iter().chain(rest) {
        answer.await.unwrap();
    }
    assert_eq!(test.batches().await, before + 2);
    check::invariants(&test).await;
}

/// A chain stays one: what goes on where the batch under way leaves a stream is no second batch.
#[tokio::test]
async fn a_hot_stream_has_one_batch_under_way() {
    let test = TestLog::new().await;
    let (appender, _) = test.appender();
    let stream = Uuid::now_v7();
    let before = test.batches().await;
    let turn = Turn::taken(&test).await;
    let first = put(&appender, (0..100).map(|version| one(stream, version)));
    under_way(&test, 1).await;
    let rest = put(&appender, (100..300).map(|version| one(stream, version)));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(waiting(&test).await, 1);
    turn.given_back().await;
    for (n, answer) in (1..).zip(first.into_iter().chain(rest)) {
        assert_eq!(answer.await.unwrap().version, n);
    }
    assert_eq!(test.batches().await, before + 2);
    check::invariants(&test).await;
}

/// What waits for a batch under way holds up all that rests on it: however much that is, it is no second
/// batch, and nobody spins for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_rests_on_what_waits_is_no_second_batch() {
    let test = TestLog::new().await;
    let (appender, _) = test.appender();
    let [a, b] = [Uuid::now_v7(), Uuid::now_v7()];
    let before = test.batches().await;
    let turn = Turn::taken(&test).await;
    let first = put(&appender, [one(a, 0)]);
    under_way(&test, 1).await;
    let mut guarded = one(b, 0);
    guarded.guards.push(Guard { stream_id: a, version: 1 });
    let rest = (1..=i64::try_from(MANY).unwrap()).map(|version| one(b, version));
    let rest = put(&appender, [guarded].into_iter().chain(rest));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(waiting(&test).await, 1);
    turn.given_back().await;
    let answers = async {
        for answer in first.into_iter().chain(rest) {
            answer.await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), answers).await.expect("everybody is answered");
    assert_eq!(test.batches().await, before + 2);
    check::invariants(&test).await;
}
