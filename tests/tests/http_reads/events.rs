//! The log as pages, lines and live events.

use daybook_domain::context::Actor;
use daybook_domain::values::UserRole;
use serde_json::Value;

use crate::service::Service;

fn position(event: &Value) -> i64 {
    event["position"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn pages_and_lines_have_every_event_once_in_order() {
    let service = Service::start().await;
    let ada = service.user("ada", UserRole::User).await;
    let account = service.account(&ada, "DE-1").await;
    for _ in 0..30 {
        service.deposit(account, "1.00").await;
    }
    let admin = Actor::system();
    let head = service.log.head().await.unwrap().position;
    let (mut paged, mut path) = (Vec::new(), "/v1/events?limit=7".to_owned());
    loop {
        let page = service.get(&admin, &path).await.ok().json();
        paged.extend(page["data"].as_array().unwrap().iter().cloned());
        path = format!("/v1/events?limit=7&cursor={}", page["next_cursor"].as_str().unwrap());
        if page["has_more"] == false {
            break;
        }
    }
    assert_eq!(paged.iter().map(position).collect::<Vec<_>>(), (1..=head).collect::<Vec<_>>());

    let lines = [("accept", "application/x-ndjson")];
    let answer = service.get_with(&admin, "/v1/events", &lines).await.ok();
    assert_eq!(answer.headers["content-type"], "application/x-ndjson");
    assert_eq!(answer.position(), head);
    let lines: Vec<Value> =
        answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, paged);

    // The last cursor goes on with what comes later.
    let later = service.deposit(account, "1.00").await.position();
    let page = service.get(&admin, &path).await.ok().json();
    let data = page["data"].as_array().unwrap();
    assert_eq!(data.iter().map(position).collect::<Vec<_>>(), [later]);
}

#[tokio::test]
async fn events_are_cloud_events_and_can_be_narrowed() {
    let service = Service::start().await;
    let ada = service.user("ada", UserRole::User).await;
    let account = service.account(&ada, "DE-1").await;
    let paid = service.deposit(account, "1.00").await.position();
    let admin = Actor::system();
    let page = async |query: &str| {
        let page = service.get(&admin, &format!("/v1/events?{query}")).await.ok().json();
        page["data"].as_array().unwrap().clone()
    };
    let of_type = page("types=banking.account.deposited").await;
    assert_eq!(of_type.len(), 1, "{of_type:?}");
    let event = &of_type[0];
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["id"], paid.to_string());
    assert_eq!(event["subject"], account.to_string());
    assert_eq!(event["streamversion"], "2");
    assert_eq!(event["actorid"], admin.id.to_string());
    assert_eq!(event["datacontenttype"], "application/json");
    assert_eq!(event["data"]["amount"], "1.00");
    let names = event.as_object().unwrap().keys();
    assert!(names.clone().all(|name| name.bytes().all(|b| b.is_ascii_lowercase())), "{names:?}");

    assert_eq!(page("contexts=banking").await.len(), 2);
    assert_eq!(page("kinds=banking.account,identity.api_key").await.len(), 2);
    assert_eq!(page(&format!("from_position={paid}")).await.len(), 1);
    let correlation = event["correlationid"].as_str().unwrap();
    assert_eq!(page(&format!("correlation={correlation}")).await.len(), 1);
    assert_eq!(page(&format!("actor={}", ada.id)).await.len(), 0);
    let time = event["time"].as_str().unwrap();
    assert_eq!(page(&format!("from={time}")).await.len(), 1);
    let all = usize::try_from(paid).unwrap();
    assert_eq!(page(&format!("to={time}")).await.len(), all);
    let stream = service.get(&admin, &format!("/v1/streams/{account}/events")).await.ok().json();
    assert_eq!(stream["data"].as_array().unwrap().len(), 2);
    service.get(&admin, "/v1/events?type=x").await.refused(400, "malformed");
    let nowhere = format!("/v1/streams/{}/events", uuid::Uuid::now_v7());
    service.get(&admin, &nowhere).await.refused(404, "not-found");
}

#[tokio::test]
async fn what_nothing_has_and_the_future_are_refused() {
    let service = Service::start().await;
    let ada = service.user("ada", UserRole::User).await;
    let account = service.account(&ada, "DE-1").await;
    let admin = Actor::system();
    let paths = ["/v1/events".to_owned(), format!("/v1/streams/{account}/events")];
    let future = chrono::Utc::now() + chrono::TimeDelta::hours(1);
    let future = future.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    for form in ["application/json", "application/x-ndjson"] {
        let ask = async |path: &str| service.get_with(&admin, path, &[("accept", form)]).await;
        for path in &paths {
            let wrong = ask(&format!("{path}?types=banking.account.withdrew")).await;
            let wrong = wrong.refused(422, "invalid");
            assert_eq!(wrong["errors"][0]["pointer"], "/types");
            let says = wrong["detail"].as_str().unwrap();
            assert!(says.contains("banking.account.withdrawn"), "{says}");
            let late = ask(&format!("{path}?to={future}")).await.refused(422, "not-yet");
            assert_eq!(late["errors"][0]["pointer"], "/to");
        }
        for (asked, pointer, near) in [
            ("contexts=bank", "/contexts", "banking"),
            ("kinds=support.tickets", "/kinds", "support.ticket"),
        ] {
            let wrong = ask(&format!("/v1/events?{asked}")).await.refused(422, "invalid");
            assert_eq!(wrong["errors"][0]["pointer"], pointer);
            assert!(wrong["detail"].as_str().unwrap().contains(near), "{wrong}");
        }
    }
    // What was seen in a log that had more.
    let headers = [("last-event-id", "1000000"), ("accept", "text/event-stream")];
    service.get_with(&admin, "/v1/events", &headers).await.refused(409, "another-log");
    // What an older build wrote, and this one does not know, can still be asked for.
    let older = "INSERT INTO journal.events (position, recorded_at, stream_id, version, lane_seq, lane, schema_version, event_type, command_id, actor_id, correlation_id, data)
        SELECT position + 1000, recorded_at, stream_id, version + 1000, lane_seq + 1000, lane, 1, 'banking.account.pawned', command_id, actor_id, correlation_id, '{}' FROM journal.events WHERE position = 1";
    sqlx::raw_sql(older).execute(&mut service.database.superuser().await).await.unwrap();
    service.get(&admin, "/v1/events?types=banking.account.pawned").await.ok();
}

#[tokio::test]
async fn live_events_go_on_where_they_were_cut() {
    let service = Service::start().await;
    let ada = service.user("ada", UserRole::User).await;
    let account = service.account(&ada, "DE-1").await;
    let admin = Actor::system();
    let mut listening = service.listen(&admin, "/v1/events", None).await;
    let mut seen = Vec::new();
    for expected in 1..=3 {
        let (id, kind, data) = listening.next().await;
        assert_eq!((id, position(&data)), (expected, expected));
        assert_eq!(data["type"], kind.as_str());
        seen.push(id);
    }
    drop(listening);
    service.deposit(account, "1.00").await;
    let mut resumed = service.listen(&admin, "/v1/events", seen.last().copied()).await;
    let head = service.log.head().await.unwrap().position;
    for expected in 4..=head {
        assert_eq!(resumed.next().await.0, expected);
    }
    // From here on live, and narrowed to one stream for its owner.
    let mut own = service
        .listen(&ada, &format!("/v1/streams/{account}/events?from_position=end"), None)
        .await;
    for _ in 0..3 {
        service.user(&format!("u{}", uuid::Uuid::now_v7().simple()), UserRole::User).await;
        let paid = service.deposit(account, "1.00").await.position();
        let (id, kind, _) = own.next().await;
        assert_eq!((id, kind.as_str()), (paid, "banking.account.deposited"));
        while resumed.next().await.0 < paid {}
    }
}
