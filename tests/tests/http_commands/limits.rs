//! Health, metrics, limits, and how a server stops.

use std::time::{Duration, Instant};

use futures::future::join_all;
use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::json;
use sqlx::PgConnection;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::support::{ACCOUNTS, House, Server, answer, registration};

/// Holds the order of the log, so that nothing is appended until it is let go.
async fn hold_the_log(house: &House) -> PgConnection {
    let mut superuser = house.database.superuser().await;
    sqlx::raw_sql("BEGIN; SELECT pg_advisory_xact_lock(5846072195403715300)")
        .execute(&mut superuser)
        .await
        .expect("the lock");
    superuser
}

async fn let_go(mut held: PgConnection) {
    sqlx::raw_sql("COMMIT").execute(&mut held).await.expect("let go");
}

#[tokio::test]
async fn health_and_metrics_are_open_and_say_what_is() {
    let (house, server) = House::served().await;
    let account = server.account(&house.admin.key, house.admin.id, "E-1", "1.00").await;
    let get = |path: &str| answer(daybook_tests::client().get(server.url(path)));
    assert_eq!(get("/health/live").await.ok().body["status"], "live");
    let ready = get("/health/ready").await.ok();
    let parts: Vec<_> = ready.body["parts"].as_array().expect("parts").iter().collect();
    assert!(parts.iter().all(|part| part["ready"] == true), "{ready:?}");
    assert!(parts.iter().any(|part| part["part"] == "database"), "{ready:?}");
    assert!(parts.iter().any(|part| part["part"] == "projector"), "{ready:?}");

    // What a client makes up does not become a name among the numbers.
    for n in 0..5 {
        let method = Method::from_bytes(format!("BREW{n}").as_bytes()).expect("a method");
        answer(server.request(method, &format!("/v1/made-up-{n}"), &house.admin.key)).await;
    }
    let metrics = get("/metrics").await.ok();
    let text = metrics.body.as_str().expect("text").to_owned();
    for name in [
        "daybook_http_request_seconds",
        "daybook_append_seconds",
        "daybook_append_batch_requests",
        "daybook_projector_events_total",
    ] {
        assert!(text.contains(name), "{name} is missing: {text}");
    }
    assert!(!text.contains("BREW") && !text.contains("made-up"), "{text}");
    assert!(!text.contains(&account), "{text}");
    let document = get("/openapi.json").await.ok();
    assert_eq!(document.body["openapi"], "3.1.0");
}

#[tokio::test]
async fn readiness_names_what_is_not() {
    let (house, server) = House::served().await;
    let mut superuser = house.database.superuser().await;
    sqlx::raw_sql("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA projector FROM daybook_projector; ALTER TABLE _sqlx_migrations RENAME TO elsewhere")
        .execute(&mut superuser)
        .await
        .expect("broken");
    let asked = answer(daybook_tests::client().get(server.url("/health/ready"))).await;
    assert_eq!(asked.status, 503, "{asked:?}");
    let parts = asked.body["parts"].as_array().expect("parts");
    assert!(
        parts.iter().any(|part| part["part"] == "database" && part["ready"] == false),
        "{asked:?}"
    );
    answer(daybook_tests::client().get(server.url("/health/live"))).await.ok();
}

#[tokio::test]
async fn too_much_of_one_is_turned_away() {
    let house = House::new().await;
    let server = house.serve("one", &[("DAYBOOK_RATE_LIMIT", "10")]).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let path = format!("/v1/identity/users/{}/change_profile", house.admin.id);
    let begun = Instant::now();
    let answers = join_all((0..60).map(|_| server.post(&house.admin.key, &path, json!({})))).await;
    let took = begun.elapsed();
    let (fine, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 200);
    // Ten at once, and then one every tenth of a second.
    let most = 11 + took.as_millis() / 100;
    assert!((1..=most).contains(&(fine.len() as u128)), "{} in {took:?}", fine.len());
    for answer in refused {
        assert_eq!(answer.clone().refused(429, "too-many-requests").header("retry-after"), "1");
    }
    // Those who watch over the service are not in that count.
    for _ in 0..30 {
        answer(daybook_tests::client().get(server.url("/health/live"))).await.ok();
    }
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    server.post(&house.admin.key, &path, json!({})).await.ok();
}

#[tokio::test]
async fn a_full_queue_is_said_and_loses_nothing() {
    let house = House::new().await;
    let settings = [("DAYBOOK_APPEND_QUEUE", "4"), ("DAYBOOK_APPEND_REQUESTS", "2")];
    let server = house.serve("one", &settings).await;
    let key = &house.admin.key;
    let account = server.account(key, house.admin.id, "E-2", "0.00").await;
    let path = format!("{ACCOUNTS}/{account}/deposit");
    let before = house.events().await;
    let held = hold_the_log(&house).await;
    let full = Notify::new();
    let deposit = async || {
        let answer = server.post(key, &path, json!({ "amount": "1.00" })).await;
        if answer.status == 503 {
            full.notify_one();
        }
        answer
    };
    let asked = join_all((0..80).map(|_| deposit()));
    let letting_go = async {
        // Appends wait for the log for 20 s; that nobody was refused is seen below.
        let _ = tokio::time::timeout(Duration::from_secs(10), full.notified()).await;
        let_go(held).await;
    };
    let (answers, ()) = futures::join!(asked, letting_go);
    let (accepted, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 200);
    assert!(!accepted.is_empty() && !refused.is_empty(), "{} {}", accepted.len(), refused.len());
    for answer in refused {
        answer.refused(503, "overloaded").header("retry-after");
    }
    let accepted = i64::try_from(accepted.len()).expect("few");
    assert_eq!(house.events().await - before, accepted);
    assert_eq!(house.book(&account).await.balance.to_string(), format!("{accepted}.00"));
}

/// Sends a command, its body only when the server asks for it: it has taken the request then.
async fn taken(server: &Server, key: &str, path: &str, body: &str) -> TcpStream {
    const GO_ON: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(&server.address).await.expect("a connection");
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut said = [0; GO_ON.len()];
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_exact(&mut said)).await;
    read.expect("asked for it in time").expect("asked for it");
    assert_eq!(said, GO_ON, "{}", String::from_utf8_lossy(&said));
    stream.write_all(body.as_bytes()).await.expect("sent");
    stream
}

#[tokio::test]
async fn a_server_that_stops_answers_what_it_took() {
    let house = House::new().await;
    // Half of it is for requests.
    let mut server = house.serve("one", &[("DAYBOOK_SHUTDOWN_GRACE", "60")]).await;
    let key = house.admin.key.clone();
    let account = server.account(&key, house.admin.id, "E-3", "0.00").await;
    let before = house.events().await;
    let path = format!("{ACCOUNTS}/{account}/deposit");
    let held = hold_the_log(&house).await;
    let body = json!({ "amount": "1.00" }).to_string();
    let requests = join_all((0..20).map(|_| taken(&server, &key, &path, &body))).await;
    server.process.signal(Signal::SIGTERM);
    let told = Instant::now();
    while TcpStream::connect(&server.address).await.is_ok() {
        assert!(told.elapsed() < Duration::from_secs(10), "new ones are let in");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let_go(held).await;
    for mut request in requests {
        let mut text = String::new();
        let read = request.read_to_string(&mut text);
        let read = tokio::time::timeout(Duration::from_secs(30), read).await;
        read.expect("an answer in time, and no more").expect("an answer");
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    }
    let status = tokio::task::spawn_blocking(move || server.process.wait(Duration::from_secs(90)));
    assert!(status.await.expect("no panic").success());
    assert_eq!(house.events().await - before, 20);
}

/// How long the server leaves a connection open on which only these bytes come.
async fn patience(address: &str, bytes: &[u8]) -> Duration {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(bytes).await.expect("sent");
    let started = Instant::now();
    let mut rest = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(12), stream.read_to_end(&mut rest)).await;
    assert!(read.is_ok(), "still open after 12 s on {:?}", String::from_utf8_lossy(bytes));
    started.elapsed()
}

#[tokio::test]
async fn who_does_not_ask_is_not_waited_for() {
    let house = House::new().await;
    let settings = [("DAYBOOK_HEADER_TIMEOUT", "1"), ("DAYBOOK_REQUEST_TIMEOUT", "2")];
    let server = house.serve("one", &settings).await;
    for bytes in [
        "",
        "P",
        "PRI * HTTP/2.0\r\n",
        "GET /health/live HTTP/1.1\r\n",
        "GET /health/live HTTP/1.1\r\nhost: x\r\nx-slow: ",
        "GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n",
    ] {
        let waited = patience(&server.address, bytes.as_bytes()).await;
        assert!(waited < Duration::from_secs(10), "{bytes:?} {waited:?}");
    }
    // A body that does not come is the client's fault.
    let mut stream = TcpStream::connect(&server.address).await.expect("a connection");
    let head = format!(
        "POST {ACCOUNTS} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{",
        house.admin.key
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut text = vec![0; 400];
    let read = tokio::time::timeout(Duration::from_secs(8), stream.read(&mut text)).await;
    let read = read.expect("an answer in time").expect("an answer");
    let text = String::from_utf8_lossy(&text[..read]).into_owned();
    assert!(text.starts_with("HTTP/1.1 408"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passwords_are_hashed_a_few_at_a_time_and_for_those_who_may() {
    let house = House::new().await;
    let server = house.serve("one", &[]).await;
    let viewer = house.person("viewer", "viewer", &["*"]).await;
    house.posted().await;
    let lines = |who: &str| -> Vec<_> {
        (0..96)
            .map(|n| json!({ "type": "identity.user.register", "data": registration(&format!("{who}{n}")) }))
            .collect()
    };
    let peak = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.process.pid()))
            .expect("its status");
        let line =
            status.lines().find(|line| line.starts_with("VmHWM")).expect("its peak").to_owned();
        line.split_whitespace().nth(1).and_then(|text| text.parse::<u64>().ok()).expect("a number")
            / 1024
    };
    let before = peak();
    for answer in server.many(&viewer.key, &lines("refused")).await {
        assert_eq!(answer["status"], 403, "{answer}");
    }
    assert!(peak() - before < 30, "{} MiB for those who may not", peak() - before);
    for answer in server.many(&house.admin.key, &lines("some")).await {
        assert_eq!(answer["status"], 201, "{answer}");
    }
    // A hash takes 19 MiB; all at once would take two gigabytes.
    assert!(peak() - before < 400, "{} MiB", peak() - before);
}
