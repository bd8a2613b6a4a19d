//! Many commands in one request, as NDJSON.

use std::time::{Duration, Instant};

use futures::StreamExt as _;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use uuid::Uuid;

use crate::support::{ACCOUNTS, House, answer, opening, registration};

fn statuses(answers: &[Value]) -> Vec<u64> {
    answers.iter().map(|answer| answer["status"].as_u64().expect("a status")).collect()
}

fn line(kind: &str, stream: Uuid, data: Value) -> Value {
    json!({ "id": Uuid::now_v7(), "type": kind, "stream_id": stream, "data": data })
}

/// A whole story on new streams, each line resting on the one before.
fn story(number: usize) -> Vec<Value> {
    let (user, account, second) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    let mut registration = registration(&format!("story-{number}"));
    let fields = registration.as_object_mut().expect("fields");
    fields.remove("password");
    fields.insert("password_hash".into(), "!".into());
    vec![
        line("identity.user.register", user, registration),
        line("banking.account.open", account, opening(user, &format!("M-{number}-1"))),
        line("banking.account.open", second, opening(user, &format!("M-{number}-2"))),
        line("banking.account.deposit", account, json!({ "amount": "10.00" })),
        line("banking.account.withdraw", account, json!({ "amount": "4.00" })),
        line(
            "banking.account.transfer",
            account,
            json!({ "amount": "6.00", "to_account_id": second }),
        ),
        line("banking.account.withdraw", second, json!({ "amount": "6.00" })),
        line("banking.account.close", account, json!({})),
        line("identity.user.suspend", user, json!({})),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_that_rest_on_each_other_are_decided_in_order() {
    let (house, server) = House::served().await;
    let key = &house.admin.key;
    let before = house.events().await;
    // Interleaved, so that what depends is far apart and what is close does not.
    let stories: Vec<Vec<Value>> = (0..40).map(story).collect();
    let lines: Vec<Value> =
        (0..9).flat_map(|step| stories.iter().map(move |story| story[step].clone())).collect();
    let answers = server.many(key, &lines).await;
    assert_eq!(answers.len(), lines.len());
    for (n, (line, answer)) in lines.iter().zip(&answers).enumerate() {
        assert!(answer["status"].as_u64().is_some_and(|status| status < 300), "{line} {answer}");
        assert_eq!(answer["line"], n + 1);
        assert_eq!(answer["id"], line["id"]);
        assert_eq!(answer["stream_id"], line["stream_id"]);
    }
    let appended = house.events().await;
    assert_eq!(appended - before, 40 * 10);

    // The same file again: the first answers, and nothing more in the log.
    let again = server.many(key, &lines).await;
    for (first, again) in answers.iter().zip(&again) {
        for part in ["position", "version", "stream_id", "events", "status"] {
            assert_eq!(again[part], first[part], "{again} after {first}");
        }
        assert_eq!(again["replayed"], true, "{again}");
    }
    assert_eq!(house.events().await, appended);
}

#[tokio::test]
async fn one_bad_line_does_not_stop_the_others() {
    let (house, server) = House::served().await;
    let key = &house.admin.key;
    let account = server.account(key, house.admin.id, "N-1", "5.00").await;
    let good = |amount: &str| {
        json!({ "type": "banking.account.withdraw", "stream_id": account, "data": { "amount": amount } })
            .to_string()
    };
    let lines = [
        good("1.00"),
        "nonsense".to_owned(),
        String::new(),
        "{\"type\":\"banking.account.withdraw\"".to_owned(),
        format!("{{\"type\":\"x\",\"data\":{}1{}}}", "[".repeat(300), "]".repeat(300)),
        "{\"type\":\"withdraw\"}".to_owned(),
        "{\"type\":\"banking.account.rob\"}".to_owned(),
        "{\"type\":\"banking.account.withdraw\",\"colour\":\"red\"}".to_owned(),
        "{\"type\":\"banking.account.withdraw\",\"id\":\"7\"}".to_owned(),
        "{\"type\":\"banking.account.withdraw\",\"data\":[]}".to_owned(),
        "[]".to_owned(),
        "\u{1}".to_owned(),
        good("9.00"),
        good("2.00"),
    ];
    let answers = server.many_text(key, lines.join("\n")).await;
    assert_eq!(
        statuses(&answers),
        [200, 400, 400, 422, 422, 404, 422, 422, 422, 422, 400, 409, 200],
        "{answers:#?}"
    );
    // Empty lines are passed over, and counted.
    assert_eq!(answers[2]["line"], 4);
    for answer in answers.iter().filter(|answer| answer["status"] != 200) {
        assert!(answer["problem"]["type"].is_string(), "{answer}");
        assert!(answer["problem"]["trace_id"].is_string(), "{answer}");
    }
    assert_eq!(house.book(&account).await.balance.to_string(), "2.00");

    // Bytes that are no text at all.
    let mut bytes = good("1.00").into_bytes();
    bytes.extend(b"\n\xff\xfe\n");
    bytes.extend(good("1.00").into_bytes());
    let answers = server.many_text(key, bytes).await;
    assert_eq!(statuses(&answers), [200, 400, 200], "{answers:#?}");
}

#[tokio::test]
async fn the_same_id_twice_in_a_batch_is_applied_once() {
    let (house, server) = House::served().await;
    let key = &house.admin.key;
    let account = server.account(key, house.admin.id, "N-2", "5.00").await;
    let line = line(
        "banking.account.withdraw",
        Uuid::parse_str(&account).expect("an id"),
        json!({ "amount": "1.00" }),
    );
    let answers = server.many(key, &[line.clone(), line.clone(), line]).await;
    assert_eq!(answers[0]["status"], 200);
    for answer in &answers[1..] {
        let again = answer["status"] == 200 && answer["replayed"] == true;
        assert!(again || answer["status"] == 409, "{answer}");
    }
    assert_eq!(house.book(&account).await.balance.to_string(), "4.00");
}

#[tokio::test]
async fn expected_versions_and_refusals_hold_within_a_batch() {
    let (house, server) = House::served().await;
    let key = &house.admin.key;
    let (stream, mut lines) = (Uuid::now_v7(), Vec::new());
    for (version, kind, data) in [
        (0, "open", opening(house.admin.id, "N-3")),
        (0, "open", opening(house.admin.id, "N-3")),
        (1, "deposit", json!({ "amount": "1.00" })),
        (1, "deposit", json!({ "amount": "1.00" })),
        (2, "withdraw", json!({ "amount": "2.00" })),
        (2, "withdraw", json!({ "amount": "1.00" })),
    ] {
        let mut line = line(&format!("banking.account.{kind}"), stream, data);
        line["expected_version"] = version.into();
        lines.push(line);
    }
    assert_eq!(statuses(&server.many(key, &lines).await), [201, 412, 200, 412, 409, 200]);
}

#[tokio::test]
async fn a_batch_that_is_too_large_or_breaks_off_keeps_what_was_answered() {
    let (house, server) = House::served().await;
    let key = &house.admin.key;
    let account = server.account(key, house.admin.id, "N-4", "0.00").await;
    let deposit = json!({ "type": "banking.account.deposit", "stream_id": account,
        "data": { "amount": "0.01", "description": "x".repeat(400) } })
    .to_string();
    // A line beyond what a command may be, between two good ones.
    let text = format!("{deposit}\n{{\"type\":\"{}\"}}\n{deposit}\n", "x".repeat((1 << 20) + 10));
    let answers = server.many_text(key, text).await;
    assert_eq!(statuses(&answers), [200, 413, 200], "{answers:#?}");

    // More than a batch may be.
    let mut text = String::new();
    while text.len() < 9 << 20 {
        text += "{\"type\":\"";
        text += &"y".repeat(900_000);
        text += "\"}\n";
    }
    let answers = server.many_text(key, format!("{deposit}\n{text}{deposit}\n")).await;
    let last = answers.last().expect("an answer");
    assert_eq!(last["status"], 413, "{last}");
    assert_eq!(answers[0]["status"], 200);
    assert_eq!(house.book(&account).await.balance.to_string(), "0.03");

    // Breaks off in the middle of a line.
    let mut stream = tokio::net::TcpStream::connect(&server.address).await.expect("a connection");
    let head = format!(
        "POST /v1/commands HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    let chunk = format!("{:x}\r\n{deposit}\n\r\n", deposit.len() + 1);
    let half = format!("{:x}\r\n{}", deposit.len(), &deposit[..20]);
    stream.write_all((head + &chunk + &half).as_bytes()).await.expect("sent");
    stream.shutdown().await.expect("closed");
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let balance = house.book(&account).await.balance.to_string();
    assert!(balance == "0.04" || balance == "0.03", "nothing of half a line: {balance}");
    server.post(key, &format!("{ACCOUNTS}/{account}/deposit"), json!({ "amount": "1" })).await.ok();
}

#[tokio::test]
async fn a_batch_is_answered_while_it_is_sent() {
    let (house, server) = House::served().await;
    let key = &house.admin.key;
    let account = server.account(key, house.admin.id, "N-5", "0.00").await;
    let (sender, body) = futures::channel::mpsc::unbounded::<Result<String, std::io::Error>>();
    let deposit = json!({ "type": "banking.account.deposit", "stream_id": account,
        "data": { "amount": "1.00" } })
    .to_string()
        + "\n";
    let request = server
        .request(Method::POST, "/v1/commands", key)
        .header("content-type", "application/x-ndjson")
        .body(reqwest::Body::wrap_stream(body));
    sender.unbounded_send(Ok(deposit.clone())).expect("sent");
    let response = request.send().await.expect("headers");
    let mut answers = response.bytes_stream();
    for _ in 0..3 {
        let next = tokio::time::timeout(Duration::from_secs(5), answers.next());
        let answer = next.await.expect("in time").expect("a line").expect("bytes");
        assert!(answer.ends_with(b"\n"));
        sender.unbounded_send(Ok(deposit.clone())).expect("sent");
    }
    // The key is revoked: what comes after that is not taken, once that is posted and looked at.
    let revoke = format!("/v1/identity/api_keys/{}/revoke", house.admin.key_id);
    server.post(key, &revoke, json!({})).await.ok();
    let revoked = Instant::now();
    while sender.unbounded_send(Ok(deposit.clone())).is_ok() {
        let next = tokio::time::timeout(Duration::from_secs(20), answers.next()).await;
        let Some(Ok(bytes)) = next.expect("in time") else { break };
        let lines = bytes.split(|byte| *byte == b'\n');
        let mut answers = lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
        if answers.any(|answer| answer["status"] == 401) {
            break;
        }
        let goes_on = "a revoked key goes on in a batch that began before";
        assert!(revoked.elapsed() < Duration::from_secs(20), "{goes_on}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_read_answers_is_not_read_from_either() {
    let (house, server) = House::served().await;
    let key = &house.admin.key;
    let account = server.account(key, house.admin.id, "N-6", "0.00").await;
    let before = house.events().await;
    let line = json!({ "type": "banking.account.deposit", "stream_id": account,
        "data": { "amount": "0.01" } })
    .to_string()
        + "\n";
    let text = line.repeat((7 << 20) / line.len());
    let mut stream = tokio::net::TcpStream::connect(&server.address).await.expect("a connection");
    let head = format!(
        "POST /v1/commands HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-type: application/x-ndjson\r\ncontent-length: {}\r\n\r\n",
        text.len()
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    let sending = tokio::time::timeout(Duration::from_secs(8), stream.write_all(text.as_bytes()));
    let all_taken = matches!(sending.await, Ok(Ok(())));
    let appended = house.events().await - before;
    let sent = i64::try_from(text.len() / line.len()).expect("a count");
    assert!(!all_taken || appended < sent, "{appended} of {sent} without one answer read");
    // Others are served meanwhile.
    answer(server.request(Method::GET, "/health/ready", key)).await.ok();
    server.post(key, &format!("{ACCOUNTS}/{account}/deposit"), json!({ "amount": "1" })).await.ok();
}

#[tokio::test]
async fn what_carries_much_may_be_a_long_line_and_nothing_else() {
    let (house, server) = House::served().await;
    let key = &house.admin.key;
    let fields =
        json!({ "hostname": "a.example", "ip_address": "192.0.2.7", "server_type": "web" });
    let host = server.post(key, "/v1/datacentre/servers", fields).await.ok().stream();
    let samples: Vec<Value> = (0..10_000)
        .map(|n| {
            let at = chrono::DateTime::from_timestamp(1_704_067_200 + n, 0).expect("an instant");
            json!({ "metric_type": "cpu_utilization", "value": format!("{n}.{n:017}"), "unit": "percent", "recorded_at": at })
        })
        .collect();
    let delivery = json!({ "type": "datacentre.server.record_usage", "stream_id": host, "data": { "samples": samples } });
    let name = "x".repeat(1 << 20);
    let long = json!({ "type": "datacentre.server.decommission", "stream_id": host, "data": { "reason": name } });
    assert!(delivery.to_string().len() > 1 << 20);
    let answers = server.many(key, &[delivery, long]).await;
    assert_eq!((&answers[0]["status"], &answers[1]["status"]), (&json!(200), &json!(413)));
    let path = format!("/v1/datacentre/servers/{host}/decommission");
    server.post(key, &path, json!({ "reason": name })).await.refused(413, "too-large");
}
