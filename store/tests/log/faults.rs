//! Slow readers, long snapshots, and connections that are cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use chrono::Utc;
use daybook_store::Appender;
use sqlx::ConnectOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

use crate::check;
use crate::support::{TestLog, one, options, try_execute};

#[tokio::test]
async fn slow_readers_hold_nobody_up() {
    let test = TestLog::new().await;
    let (appender, _) = test.appender();
    for _ in 0..50 {
        appender.append(one(Uuid::now_v7(), 0)).await.unwrap();
    }
    // A reader in the middle of the log, with a snapshot that lasts.
    let mut reader = test.role("daybook_writer").connect().await.unwrap();
    for statement in [
        "BEGIN ISOLATION LEVEL REPEATABLE READ",
        "DECLARE slow CURSOR FOR SELECT * FROM journal.events ORDER BY position",
        "FETCH 5 FROM slow",
    ] {
        sqlx::raw_sql(statement).execute(&mut reader).await.unwrap();
    }
    let writing = async {
        let mut slowest = Duration::ZERO;
        for _ in 0..200 {
            let started = Instant::now();
            appender.append(one(Uuid::now_v7(), 0)).await.unwrap();
            slowest = slowest.max(started.elapsed());
        }
        slowest
    };
    let keeping = async {
        let started = Instant::now();
        for year in 2040..2043 {
            let make = format!(
                "SET lock_timeout = '1s'; SELECT journal.make_partitions('{year}-01-01', '{year}-12-01')"
            );
            try_execute(&test.role("daybook_maintenance"), &make)
                .await
                .expect("no wait for a reader");
        }
        started.elapsed()
    };
    let (slowest, made) = tokio::join!(writing, keeping);
    assert!(slowest < Duration::from_secs(2), "an append took {slowest:?}");
    assert!(made < Duration::from_secs(30), "partitions took {made:?}");
    let made: i64 = test.ask("SELECT count(*) FROM pg_inherits WHERE inhparent = 'journal.events'::regclass AND inhrelid::regclass::text LIKE '%204%'").await;
    assert_eq!(made, 36);
    sqlx::raw_sql("FETCH ALL FROM slow; COMMIT").execute(&mut reader).await.unwrap();
    check::invariants(&test).await;
}

/// Forwards to the server; drops the connection when the server answers the `cut`th large
/// request, so that its client never learns what became of it.
async fn cutting(server_port: u16, cuts: Arc<AtomicU32>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let cuts = Arc::clone(&cuts);
            tokio::spawn(async move {
                let server = TcpStream::connect(("127.0.0.1", server_port)).await.unwrap();
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) = server.into_split();
                let marked = Arc::new(AtomicU32::new(0));
                let seen = Arc::clone(&marked);
                tokio::spawn(async move {
                    let mut buffer = vec![0; 65536];
                    while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
                        if buffer[..read].windows(6).any(|bytes| bytes == b"cut me") {
                            seen.store(1, Ordering::SeqCst);
                        }
                        if to_server.write_all(&buffer[..read]).await.is_err() {
                            break;
                        }
                    }
                });
                let mut buffer = vec![0; 65536];
                while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
                    let armed = marked.load(Ordering::SeqCst) == 1;
                    if armed
                        && cuts
                            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                                left.checked_sub(1)
                            })
                            .is_ok()
                    {
                        break;
                    }
                    if to_client.write_all(&buffer[..read]).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn an_answer_that_was_cut_off_is_found_again() {
    let test = TestLog::new().await;
    let cuts = Arc::new(AtomicU32::new(2));
    let port = cutting(test.administrator.get_port(), Arc::clone(&cuts)).await;
    let pool = sqlx::postgres::PgPoolOptions::new()
        .connect_lazy_with(test.role("daybook_writer").port(port));
    let mut settings = options();
    settings.clock = Arc::new(Utc::now);
    let (appender, _) = Appender::start(pool, settings);
    let mut request = one(Uuid::now_v7(), 0);
    request.writes[0].events[0].data = r#"{"note": "cut me"}"#.to_owned();
    let answer = appender.append(request.clone()).await.unwrap();
    assert_eq!(cuts.load(Ordering::SeqCst), 0, "nothing was cut");
    assert_eq!((answer.version, answer.position), (1, 2));
    assert!(answer.replayed, "the first call was durable; its answer was given again");
    let again = appender.append(request).await.unwrap();
    assert_eq!(again, answer);
    assert_eq!(test.log().head().await.unwrap().position, 2);
    check::invariants(&test).await;
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_unavailable_after_a_while() {
    let test = TestLog::new().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let pool = sqlx::postgres::PgPoolOptions::new()
        .connect_lazy_with(test.role("daybook_writer").port(closed));
    let mut settings = options();
    settings.retry_for = Duration::from_millis(300);
    settings.queue = 2;
    let (appender, _) = Appender::start(pool, settings);
    let waiting: Vec<_> =
        (0..2).map(|_| appender.enqueue(one(Uuid::now_v7(), 0)).unwrap()).collect();
    let full = appender.enqueue(one(Uuid::now_v7(), 0)).unwrap_err();
    assert_eq!(full, daybook_store::AppendError::Overloaded);
    for pending in waiting {
        let answer = pending.await;
        assert!(matches!(answer, Err(daybook_store::AppendError::Unavailable(_))), "{answer:?}");
    }
}
