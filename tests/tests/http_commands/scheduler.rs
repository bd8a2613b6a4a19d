//! What comes due is said once, however many processes look.

use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use daybook_domain::context::SCHEDULER_USER;
use serde_json::json;
use uuid::Uuid;

use crate::support::House;

#[tokio::test]
async fn what_comes_due_expires_once_with_two_processes_looking() {
    let house = House::new().await;
    let ada = house.person("ada", "user", &["*"]).await;
    // Until then the second session is extended.
    let end = Utc::now() + TimeDelta::seconds(10);
    let opening = json!({ "user_id": ada.id, "expires_at": end });
    let (open, later) = (Uuid::now_v7(), Uuid::now_v7());
    for id in [open, later] {
        let mut fields = opening.clone();
        fields["id"] = json!(id);
        house.engine.as_system("identity.session", "open", fields).await.expect("a session");
    }
    let extension = json!({ "id": later, "expires_at": end + TimeDelta::hours(1) });
    house.engine.as_system("identity.session", "extend", extension).await.expect("longer");
    let key = Uuid::now_v7();
    let fields = json!({
        "id": key, "user_id": ada.id, "name": "short", "scopes": ["*"], "expires_at": end,
    });
    house.engine.as_system("identity.api_key", "issue", fields).await.expect("a key");

    let _servers = (house.serve("one", &[]).await, house.serve("two", &[]).await);
    let mut database = house.database.superuser().await;
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let expired: i64 = sqlx::query_scalar(
            "SELECT (SELECT count(*) FROM public.sessions WHERE status = 'expired' AND id = $1)
                  + (SELECT count(*) FROM public.api_keys WHERE status = 'expired' AND id = $2)",
        )
        .bind(open)
        .bind(key)
        .fetch_one(&mut database)
        .await
        .expect("rows");
        if expired == 2 {
            break;
        }
        assert!(Instant::now() < deadline, "nothing expired: {}", house.printed("one"));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Both have looked again by now.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let said: Vec<(Uuid, Uuid, String)> = sqlx::query_as(
        "SELECT stream_id, actor_id, event_type FROM journal.events
         WHERE event_type LIKE '%.expired' ORDER BY event_type",
    )
    .fetch_all(&mut database)
    .await
    .expect("events");
    let expected = [(key, "identity.api_key.expired"), (open, "identity.session.expired")];
    assert_eq!(
        said,
        expected.map(|(stream, name)| (stream, SCHEDULER_USER, name.to_owned())),
        "each once, and the one that was extended not at all"
    );
}
