//! `services.subscription`, the whole way.

use std::time::{Duration, Instant};

use daybook_domain::context::SCHEDULER_USER;
use daybook_tests::Service;
use reqwest::Method;
use serde_json::{Value, json};

use super::{SERVICES, SUBSCRIPTIONS, register, rows, subscribing};

#[tokio::test]
async fn begins_changes_goes_on_and_ends() {
    let service = Service::start().await;
    let ada = service.register("ada").await;
    let backup = register(&service, "Backup").await;
    let mut fields = subscribing(ada, &backup);
    fields["expires_at"] = "2998-01-01T00:00:00Z".into();
    fields["configuration"] = json!({ "copies": 2 });
    let begun = service.command(SUBSCRIPTIONS, fields).await.accepted();
    let id = begun["stream_id"].as_str().expect("a stream").to_owned();
    let address = format!("{SUBSCRIPTIONS}/{id}");
    let act = async |name: &str, fields: Value| {
        service.command(&format!("{address}/{name}"), fields).await
    };
    let second = service.command(SUBSCRIPTIONS, subscribing(ada, &backup)).await;
    assert_eq!(
        (second.refused(409), &second.body["scope"]),
        ("taken", &json!("subscription.active"))
    );

    let _ = act("change_plan", json!({ "plan": "gold" })).await.accepted();
    let _ = act("configure", json!({ "configuration": { "copies": 3 } })).await.accepted();
    let sooner = act("renew", json!({ "expires_at": "2997-01-01T00:00:00Z" })).await;
    assert_eq!(sooner.refused(409), "renewal-not-later");
    let renewed = act("renew", json!({ "expires_at": "2999-01-01T00:00:00Z" })).await.accepted();
    let row = service.read_after(&address, &renewed["position"]).await.accepted();
    assert_eq!((&row["plan"], &row["status"]), (&json!("gold"), &json!("active")));
    assert_eq!(row["configuration"], json!({ "copies": 3 }));
    assert_eq!(row["expires_at"], "2999-01-01T00:00:00.000000Z");
    assert_eq!(act("expire", json!({})).await.refused(409), "subscription-not-due");

    let off = format!("{SERVICES}/{backup}/deactivate");
    let _ = service.command(&off, json!({})).await.accepted();
    let other = act("change_plan", json!({ "plan": "basic" })).await;
    assert_eq!(other.refused(409), "service-not-active");
    let ended = act("cancel", json!({ "reason": "too dear" })).await.accepted();
    let row = service.read_after(&address, &ended["position"]).await.accepted();
    assert_eq!(
        (&row["status"], &row["cancelled_reason"]),
        (&json!("cancelled"), &json!("too dear"))
    );
    assert!(row["ended_at"].is_string(), "{row}");
    let again = service.command(SUBSCRIPTIONS, subscribing(ada, &backup)).await;
    assert_eq!(again.refused(409), "service-not-active");
    let on = format!("{SERVICES}/{backup}/activate");
    let _ = service.command(&on, json!({})).await.accepted();
    let again = service.command(SUBSCRIPTIONS, subscribing(ada, &backup)).await.accepted();
    let list = format!("{SUBSCRIPTIONS}?user_id={ada}&status=active");
    let page = service.read_after(&list, &again["position"]).await.accepted();
    assert_eq!((rows(&page).len(), &page["data"][0]["id"]), (1, &again["stream_id"]));

    let trail = format!("/v1/platform/audit_logs?entity_id={id}");
    let trail = service.read_after(&trail, &again["position"]).await.accepted();
    assert_eq!(rows(&trail).len(), 5, "one row for each change: {trail}");
    service.same_when_rebuilt();
}

#[tokio::test]
async fn expires_when_its_time_has_come_and_makes_room() {
    let service = Service::start().await;
    let ada = service.register("ada").await;
    let backup = register(&service, "Backup").await;
    // History that is carried in: it was over long ago.
    let mut fields = subscribing(ada, &backup);
    fields["occurred_at"] = "2015-01-01T00:00:00Z".into();
    fields["expires_at"] = "2015-02-01T00:00:00Z".into();
    let begun = service.command(SUBSCRIPTIONS, fields).await.accepted();
    let address = format!("{SUBSCRIPTIONS}/{}", begun["stream_id"].as_str().expect("a stream"));
    let renew = json!({ "expires_at": "2999-01-01T00:00:00Z" });
    let renew = service.command(&format!("{address}/renew"), renew).await;
    assert_eq!(renew.refused(409), "subscription-expired");

    // Nobody asks for it: the service looks for what has come due.
    let deadline = Instant::now() + Duration::from_secs(30);
    let row = loop {
        let row = service.read_after(&address, &begun["position"]).await.accepted();
        if row["status"] != "active" {
            break row;
        }
        assert!(Instant::now() < deadline, "it never expires: {row}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!((&row["status"], &row["updated_by"]), (&json!("expired"), &json!(SCHEDULER_USER)));
    assert_eq!(row["started_at"], "2015-01-01T00:00:00.000000Z");
    let _ = service.command(SUBSCRIPTIONS, subscribing(ada, &backup)).await.accepted();
    service.same_when_rebuilt();
}

#[tokio::test]
async fn it_is_the_subscribers_own() {
    let service = Service::start().await;
    let (ada, bob) = (service.register("ada").await, service.register("bob").await);
    let (adas, bobs) = (service.key_of(ada).await, service.key_of(bob).await);
    let backup = register(&service, "Backup").await;
    let ask = async |key: &str, path: &str, fields: Value| {
        service.ask(Method::POST, path, key, Some(fields), &[]).await
    };
    assert_eq!(
        ask(&bobs, SUBSCRIPTIONS, subscribing(ada, &backup)).await.refused(403),
        "forbidden"
    );
    let begun = ask(&adas, SUBSCRIPTIONS, subscribing(ada, &backup)).await.accepted();
    let address = format!("{SUBSCRIPTIONS}/{}", begun["stream_id"].as_str().expect("a stream"));
    assert_eq!(ask(&bobs, &format!("{address}/cancel"), json!({})).await.refused(403), "forbidden");
    assert_eq!(ask(&adas, &format!("{address}/expire"), json!({})).await.refused(403), "forbidden");
    let position = begun["position"].to_string();
    let headers = [("prefer", "wait=10"), ("daybook-min-position", position.as_str())];
    let seen = service.ask(Method::GET, &address, &bobs, None, &headers).await;
    assert_eq!(seen.refused(404), "not-found");
    let _ = service.ask(Method::GET, &address, &adas, None, &headers).await.accepted();
    let _ = ask(&adas, &format!("{address}/cancel"), json!({})).await.accepted();
    let path = format!("/v1/identity/users/{ada}/suspend");
    let _ = service.command(&path, json!({})).await.accepted();
    let again = service.command(SUBSCRIPTIONS, subscribing(ada, &backup)).await;
    assert_eq!(again.refused(409), "subscriber-not-active");
}
