//! Whatever a client sends, the answer is never a 5xx, always a problem, and nothing is appended.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::support::{ACCOUNTS, Answer, House, KEYS, Server, USERS, answer, opening};

fn deep(depth: usize) -> String {
    format!("{{\"amount\":{}1{}}}", "[".repeat(depth), "]".repeat(depth))
}

/// Bodies of a deposit, none of which is one, each with the status that it must have.
#[allow(clippy::too_many_lines, reason = "a table of cases")]
fn bodies() -> Vec<(u16, Vec<u8>)> {
    let text = |status: u16, text: &str| (status, text.as_bytes().to_vec());
    let mut bodies = vec![
        text(400, "{"),
        text(400, "nonsense"),
        text(400, "[]"),
        text(400, "null"),
        text(400, "\"amount\""),
        text(400, "17"),
        text(400, "{} {}"),
        text(400, "{\"amount\":\"1\",}"),
        text(400, "{\"amount\":\"1\"}\u{0}"),
        text(400, "\u{feff}{\"amount\":\"1\"}"),
        text(400, "{\"amount\":1e400}"),
        text(400, "{\"amount\":\"\\ud800\"}"),
        text(400, "{\"amount\":NaN}"),
        text(400, "{'amount':'1'}"),
        text(400, &deep(200)),
        text(400, &deep(100_000)),
        text(400, "{\"amount\":\"1.00\",\"amount\":\"1000.00\"}"),
        (400, b"{\"amount\":\"\xff\xfe\"}".to_vec()),
        (400, b"\x1f\x8b\x08\x00\x00\x00\x00\x00".to_vec()),
        text(413, &format!("{{\"amount\":\"1\",\"description\":\"{}\"}}", "x".repeat(2 << 20))),
        text(422, &deep(100)),
        text(422, "{}"),
        text(422, "{\"amount\":null}"),
        text(422, "{\"amount\":[]}"),
        text(422, "{\"amount\":{}}"),
        text(422, "{\"amount\":true}"),
        text(422, "{\"amount\":1.0}"),
        text(422, "{\"amount\":1e300}"),
        text(422, "{\"amount\":123456789012345678901234567890}"),
        text(422, &format!("{{\"amount\":\"1\",\"description\":\"{}\"}}", "x".repeat(900_000))),
        text(422, "{\"Amount\":\"1\"}"),
        text(422, "{\"amount\":\"1\",\"__proto__\":{}}"),
        text(422, "{\"amount\":\"1\",\"actor_id\":\"00000000-0000-7000-8000-000000000001\"}"),
        text(422, "{\"amount\":\"1\",\"\\u0000\":1}"),
        text(422, "{\"amount\":\"1\",\"id\":null}"),
        text(422, "{\"amount\":\"1\",\"id\":7}"),
        text(422, "{\"amount\":\"1\",\"id\":\"0193f3c4-0000-7000-8000-000000000000\"}"),
        text(422, "{\"amount\":\"1\",\"occurred_at\":null}"),
        text(422, "{\"amount\":\"1\",\"occurred_at\":\"+262142-12-31T23:59:59Z\"}"),
        text(422, "{\"amount\":\"1\",\"occurred_at\":\"-262143-01-01T00:00:00Z\"}"),
        text(422, "{\"amount\":\"1\",\"occurred_at\":\"-6000-01-01T00:00:00Z\"}"),
        text(422, "{\"amount\":\"1\",\"occurred_at\":\"0000-00-00T00:00:00Z\"}"),
    ];
    for amount in [
        "0",
        "0.00",
        "-1",
        "+1",
        "1,5",
        "1.005",
        "1e3",
        "0x10",
        " 1",
        "1 ",
        "1\\u0000",
        "10000000000000",
        "99999999999999999999999999",
        "NaN",
        "Infinity",
        "١",
        "1'; DROP TABLE journal.events; --",
    ] {
        bodies.push(text(422, &format!("{{\"amount\":\"{amount}\"}}")));
    }
    for field in ["description", "reference_number"] {
        for value in ["\\u0000", "a\\u0000b", "\\u0007", "", "   "] {
            bodies.push(text(422, &format!("{{\"amount\":\"1\",\"{field}\":\"{value}\"}}")));
        }
    }
    bodies
}

fn a_problem(asked: &Answer, what: &dyn std::fmt::Debug) {
    assert!(asked.status.is_client_error(), "{what:?} was answered {asked:?}");
    assert_eq!(asked.header("content-type"), "application/problem+json", "{what:?} {asked:?}");
    assert!(asked.body["detail"].is_string(), "{what:?} {asked:?}");
}

#[tokio::test]
async fn no_body_is_answered_with_a_fault() {
    let (house, server) = House::served().await;
    let key = &house.admin.key;
    let account = server.account(key, house.admin.id, "B-1", "0.00").await;
    let before = house.events().await;
    let path = format!("{ACCOUNTS}/{account}/deposit");
    let mut wrong = Vec::new();
    for (status, body) in bodies() {
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        let request = server
            .request(Method::POST, &path, key)
            .header("content-type", "application/json")
            .body(body);
        let asked = answer(request).await;
        a_problem(&asked, &shown);
        if asked.status != status {
            wrong.push((shown, status, asked.status, asked.body));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(house.events().await, before);
    for content_type in ["text/plain", "application/xml", "application/x-ndjson", ""] {
        let request = server.request(Method::POST, &path, key).header("content-type", content_type);
        let asked = answer(request.body("{\"amount\":\"1\"}")).await;
        asked.refused(415, "unsupported-media-type");
    }
    let request = server.request(Method::POST, &path, key).body("{\"amount\":\"1\"}");
    answer(request).await.refused(415, "unsupported-media-type");
    assert_eq!(house.events().await, before);
}

/// Commands whose ids cross each other.
#[tokio::test]
async fn ids_in_the_wrong_place_are_refusals() {
    let (house, server) = House::served().await;
    let (key, admin) = (&house.admin.key, house.admin.id);
    let account = server.account(key, admin, "C-1", "10.00").await;
    let other = Uuid::now_v7();
    let with_id = |mut fields: Value, id: &str| {
        fields["id"] = id.into();
        fields
    };
    let nil = Uuid::nil().to_string();
    let transfer = format!("{ACCOUNTS}/{account}/transfer");
    let issue = |owner: &str| json!({ "user_id": owner, "name": "k", "scopes": ["*"] });
    let roster = daybook_domain::identity::admins::ADMINS_STREAM.to_string();
    let before = house.events().await;
    for (path, fields) in [
        // An account that is its own owner, new and old.
        (ACCOUNTS, with_id(opening(other, "C-2"), &other.to_string())),
        (ACCOUNTS, with_id(opening(admin, "C-2"), &admin.to_string())),
        (ACCOUNTS, opening(Uuid::parse_str(&account).expect("an id"), "C-2")),
        (ACCOUNTS, with_id(opening(admin, "C-2"), &roster)),
        (ACCOUNTS, with_id(opening(admin, "C-2"), &nil)),
        (ACCOUNTS, opening(Uuid::nil(), "C-2")),
        (KEYS, with_id(issue(&other.to_string()), &other.to_string())),
        (KEYS, with_id(issue(&admin.to_string()), &admin.to_string())),
        (KEYS, issue(&account)),
        (USERS, with_id(crate::support::registration("ids"), &account)),
        (USERS, with_id(crate::support::registration("ids"), &roster)),
        (USERS, with_id(crate::support::registration("ids"), &nil)),
        (&transfer, json!({ "amount": "1", "to_account_id": account })),
        (&transfer, json!({ "amount": "1", "to_account_id": admin })),
        (&transfer, json!({ "amount": "1", "to_account_id": roster })),
        (&transfer, json!({ "amount": "1", "to_account_id": other })),
        (&transfer, json!({ "amount": "1", "to_account_id": nil })),
    ] {
        let asked = server.post(key, path, fields.clone()).await;
        a_problem(&asked, &(path, fields));
    }
    assert_eq!(house.events().await, before);
    // The streams that were confused are still what they were.
    let deposit = format!("{ACCOUNTS}/{account}/deposit");
    server.post(key, &deposit, json!({ "amount": "1" })).await.ok();
    let mut fields = opening(admin, "C-3");
    fields["id"] = other.to_string().into();
    server.post(key, ACCOUNTS, fields).await.ok();
}

/// Sends bytes as they are, and reads the answer's status line and the rest.
async fn raw(server: &Server, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(&server.address).await.expect("a connection");
    stream.write_all(bytes).await.expect("sent");
    let mut text = Vec::new();
    let read = stream.read_to_end(&mut text);
    let _ = tokio::time::timeout(std::time::Duration::from_secs(10), read).await;
    String::from_utf8_lossy(&text).into_owned()
}

#[allow(clippy::too_many_lines, reason = "a table of cases")]
#[tokio::test]
async fn no_line_or_header_is_answered_with_a_fault() {
    let (house, server) = House::served().await;
    let key = &house.admin.key;
    let account = server.account(key, house.admin.id, "L-1", "0.00").await;
    let before = house.events().await;
    let path = format!("{ACCOUNTS}/{account}/deposit");
    let body = "{\"amount\":\"1\"}";
    let long = "x".repeat(100_000);
    let targets = [
        "/v1/banking/%ff%fe".to_owned(),
        "/v1/%2e%2e/%2e%2e".to_owned(),
        format!("{ACCOUNTS}/%00/deposit"),
        format!("{ACCOUNTS}/{account}%00/deposit"),
        format!("{ACCOUNTS}/{account}/dep%ffosit"),
        format!("{ACCOUNTS}/{account}/deposit/again"),
        format!("{path}?dry_run=%ff"),
        format!("{path}?{}", "a=b&".repeat(5_000)),
        format!("/{long}"),
        "//".to_owned(),
        "*".to_owned(),
        "http://elsewhere/v1/banking/accounts".to_owned(),
    ];
    let mut requests: Vec<String> = targets
        .iter()
        .map(|target| {
            format!(
                "POST {target} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
        })
        .collect();
    for header in [
        format!("x-long: {long}"),
        "content-length: 99999999999999999999".to_owned(),
        "content-length: -1".to_owned(),
        format!("content-length: {}\r\ncontent-length: 3", body.len()),
        "transfer-encoding: chunked\r\ncontent-length: 3".to_owned(),
        "x-organization-id: nonsense".to_owned(),
        "bad header name: x".to_owned(),
        "nul: a\u{0}b".to_owned(),
    ] {
        requests.push(format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\nconnection: close\r\n{header}\r\n\r\n{body}"
        ));
    }
    requests.extend([
        "NONSENSE\r\n\r\n".to_owned(),
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
        format!("BREW {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\r\n"),
        format!("POST {path} HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(500)),
        format!("POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {long}\r\nconnection: close\r\n\r\n"),
    ]);
    for request in &requests {
        let answered = raw(&server, request.as_bytes()).await;
        let shown = &request[..request.len().min(120)];
        // A connection may also be closed without a word on what is no HTTP at all.
        let status = answered.split(' ').nth(1).unwrap_or("400");
        assert!(status.starts_with('4'), "{shown:?} was answered {answered}");
        let length_zero = answered.to_ascii_lowercase().contains("content-length: 0");
        assert!(
            answered.is_empty() || length_zero || answered.contains("application/problem+json"),
            "{shown:?} was answered {answered}"
        );
    }
    assert_eq!(house.events().await, before);
    // Odd, and harmless.
    for (name, value) in [
        ("traceparent", "00-zz-zz-zz"),
        ("x-correlation-id", "not a uuid"),
        ("user-agent", "a\tb \u{e9}"),
        ("expect", "100-continue"),
    ] {
        let headers = [(name, value)];
        server.post_with(key, &path, json!({ "amount": "1" }), &headers).await.ok();
    }
    house.posted().await;
    let parked = daybook_projector::parked::parked(&house.pools.projector).await.expect("a list");
    assert!(parked.is_empty(), "{parked:?}");
}

#[tokio::test]
async fn what_is_accepted_can_be_posted() {
    let (house, server) = House::served().await;
    let key = &house.admin.key;
    let account = server.account(key, house.admin.id, "10/ff", "0.00").await;
    let path = format!("{ACCOUNTS}/{account}/deposit");
    for fields in [
        json!({ "amount": "9999999999999.99" }),
        json!({ "amount": "0.01", "occurred_at": "0001-01-01T00:00:00Z" }),
        json!({ "amount": "0.01", "occurred_at": "-0001-01-01T00:00:00Z" }),
        json!({ "amount": "0.01", "occurred_at": "-4000-01-01T00:00:00Z" }),
        json!({ "amount": "1", "description": "\u{202e}𝕏 e\u{301} \"\\ \u{fffd}\u{ffff}" }),
        json!({ "amount": "1", "description": "x".repeat(10_000) }),
        json!({ "amount": "1", "transaction_id": Uuid::nil() }),
        json!({ "amount": "1", "transaction_id": Uuid::max() }),
    ] {
        // Accepted or refused as the rules say; what is accepted must not stop a lane.
        let asked = server.post(key, &path, fields.clone()).await;
        assert!(asked.status.as_u16() < 500, "{fields} {asked:?}");
    }
    house.posted().await;
    let parked = daybook_projector::parked::parked(&house.pools.projector).await.expect("a list");
    assert!(parked.is_empty(), "{parked:?}");
}
