//! `services.service`, the whole way.

use daybook_tests::Service;
use reqwest::Method;
use serde_json::{Value, json};

use super::{SERVICES, register, rows};

#[tokio::test]
async fn is_registered_described_configured_and_taken_off_the_offer() {
    let service = Service::start().await;
    let backup = register(&service, "Backup").await;
    let address = format!("{SERVICES}/{backup}");
    let act = async |name: &str, fields: Value| {
        service.command(&format!("{address}/{name}"), fields).await
    };
    let taken = json!({ "name": "Backup", "type": "safety" });
    let taken = service.command(SERVICES, taken).await;
    assert_eq!((taken.refused(409), &taken.body["scope"]), ("taken", &json!("service.name")));
    let other = register(&service, "BACKUP").await;
    assert_ne!(other, backup, "case counts");

    let configuration = json!({ "copies": 2, "hours": [1, 13], "to": { "é": "\n", "rate": 0.5 } });
    let configured = act("configure", json!({ "configuration": configuration })).await.accepted();
    let row = service.read_after(&address, &configured["position"]).await.accepted();
    assert_eq!((&row["type"], &row["configuration"]), (&json!("storage"), &configuration));
    let same = act("configure", json!({ "configuration": configuration })).await.accepted();
    assert_eq!(same["events"], json!([]));
    let nul = act("configure", json!({ "configuration": { "a": "\u{0}" } })).await;
    assert_eq!(nul.status.as_u16(), 422, "{nul:?}");

    let fields = json!({ "name": "Backups", "type": "safety", "description": null });
    let described = act("describe", fields).await.accepted();
    let row = service.read_after(&address, &described["position"]).await.accepted();
    assert_eq!((&row["name"], &row["type"]), (&json!("Backups"), &json!("safety")));
    assert_eq!(row["description"], Value::Null);
    let off = act("deactivate", json!({ "reason": "sold out" })).await.accepted();
    let path = format!("{SERVICES}?status=inactive");
    let page = service.read_after(&path, &off["position"]).await.accepted();
    assert_eq!((rows(&page).len(), &page["data"][0]["id"]), (1, &json!(backup)));
    assert_eq!(page["data"][0]["status_reason"], "sold out");
    let then = format!("{address}?at_position={}", configured["position"]);
    let then = service.read_after(&then, &off["position"]).await.accepted();
    assert_eq!((&then["name"], &then["configuration"]), (&json!("Backup"), &configuration));
    let on = act("activate", json!({})).await.accepted();
    let named = service.read_after(&format!("{SERVICES}?name=Backups"), &on["position"]).await;
    assert_eq!(named.accepted()["data"][0]["status"], "active");

    let trail = format!("/v1/platform/audit_logs?entity_id={backup}");
    let trail = service.read_after(&trail, &on["position"]).await.accepted();
    let configured = rows(&trail)
        .into_iter()
        .find(|row| row["position"] == configured["position"])
        .expect("its row");
    assert_eq!(configured["new_values"]["configuration"], configuration);
    assert_eq!(configured["old_values"]["configuration"], Value::Null);
    service.same_when_rebuilt();
}

#[tokio::test]
async fn everyone_sees_what_is_on_offer_and_those_who_manage_change_it() {
    let service = Service::start().await;
    let ada = service.register("ada").await;
    let key = service.key_of(ada).await;
    let backup = register(&service, "Backup").await;
    let ask = async |method: Method, path: &str, fields: Option<Value>| {
        service.ask(method, path, &key, fields, &[]).await
    };
    let position = service.command(&format!("{SERVICES}/{backup}/activate"), json!({})).await;
    let position = position.accepted()["position"].to_string();
    let headers = [("prefer", "wait=10"), ("daybook-min-position", position.as_str())];
    let path = format!("{SERVICES}/{backup}");
    let seen = service.ask(Method::GET, &path, &key, None, &headers).await.accepted();
    assert_eq!(seen["name"], "Backup");
    assert_eq!(rows(&ask(Method::GET, SERVICES, None).await.accepted()).len(), 1);
    let fields = json!({ "name": "Mine", "type": "storage" });
    assert_eq!(ask(Method::POST, SERVICES, Some(fields)).await.refused(403), "forbidden");
    let path = format!("{SERVICES}/{backup}/deactivate");
    assert_eq!(ask(Method::POST, &path, Some(json!({}))).await.refused(403), "forbidden");
}
