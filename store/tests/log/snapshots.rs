//! A snapshot that stays open keeps every row that was rewritten since. Whoever asks for the one that
//! counts must not go through the others.

use std::time::Duration;

use daybook_store::{AppendRequest, Guard, Log, NewEvent};
use sqlx::ConnectOptions;
use sqlx::Connection;
use uuid::Uuid;

use crate::check;
use crate::support::{TestLog, event, one, request, write};

/// So often both streams are rewritten in each half of the test: some twenty pages of their rows.
const OFTEN: i64 = 800;

/// How many pages of heads were looked at so far, once all `updates` of heads are counted.
async fn pages(test: &TestLog, updates: i64) -> i64 {
    let updated =
        "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relid = 'journal.streams'::regclass";
    for _ in 0..200 {
        if test.ask::<i64>(updated).await >= updates {
            let pages = "SELECT heap_blks_hit + heap_blks_read FROM pg_statio_user_tables WHERE relid = 'journal.streams'::regclass";
            return test.ask(pages).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the server does not count {updates} updates");
}

/// Goes on with one stream, and looks at all others in each way that there is.
fn on(stream: Uuid, other: Uuid, version: i64) -> AppendRequest {
    let referring = NewEvent { references: vec![other], ..event("test.thing.referred") };
    let mut request = request(vec![write(stream, version, vec![referring])]);
    request.guards.push(Guard { stream_id: other, version });
    request
}

/// Everything that the log is asked about streams, once.
async fn ask(log: &Log, streams: [Uuid; 2], version: i64) {
    let head = log.stream_head(streams[0]).await.unwrap().unwrap();
    assert_eq!((head.version, head.closed_at), (version, None));
    let known = log.streams_known(&[streams[1], streams[0], streams[1]]).await.unwrap();
    let mut versions =
        known.iter().map(|known| (known.stream_id, known.version)).collect::<Vec<_>>();
    versions.sort_unstable();
    let mut expected = streams.map(|stream| (stream, version));
    expected.sort_unstable();
    assert_eq!(versions, expected);
    assert_eq!(log.closed_among(&streams).await.unwrap(), Vec::<Uuid>::new());
}

#[tokio::test]
async fn what_a_snapshot_keeps_is_not_gone_through() {
    let test = TestLog::new().await;
    let log = test.log();
    let (appender, _) = test.appender();
    let [a, b] = [Uuid::now_v7(), Uuid::now_v7()];
    for stream in [a, b] {
        appender.append(one(stream, 0)).await.unwrap();
    }
    let mut snapshot = test.administrator.connect().await.unwrap();
    sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM journal.streams")
        .execute(&mut snapshot)
        .await
        .unwrap();

    let mut looked = Vec::new();
    let mut before = pages(&test, 0).await;
    for half in 0..2 {
        for version in 1 + half * OFTEN..=(1 + half) * OFTEN {
            // One event that rests on nothing but its stream goes the short way, the other the long one.
            appender.append(one(b, version)).await.unwrap();
            appender.append(on(a, b, version + 1)).await.unwrap_err();
            let mut guarded = on(a, b, version);
            guarded.guards[0].version = version + 1;
            appender.append(guarded).await.unwrap();
            if version % 10 == 0 {
                ask(&log, [a, b], version + 1).await;
            }
        }
        let now = pages(&test, 2 * (1 + half) * OFTEN).await;
        looked.push(now - before);
        before = now;
    }
    snapshot.close().await.unwrap();
    assert!(
        looked[1] <= looked[0] + looked[0] / 10,
        "what is kept is gone through: {} pages of heads for the first {OFTEN} rounds, {} for the next",
        looked[0],
        looked[1]
    );
    check::invariants(&test).await;
}
