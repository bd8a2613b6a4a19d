//! `datacentre.server`, the whole way.

use futures::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::{SERVERS, act, assert_rebuilt_the_same, key_of, provision, provisioning};
use daybook_tests::Service;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_provisioned_changed_and_retired() {
    let service = Service::start().await;
    let ada = service.register("ada").await;
    let server = provision(&service, provisioning("db-1.example.org")).await;
    let address = format!("{SERVERS}/{server}");

    let taken = service.command(SERVERS, provisioning("db-1.example.org")).await;
    assert_eq!((taken.refused(409), &taken.body["scope"]), ("taken", &json!("server.hostname")));
    for (name, fields, field) in [
        ("hostname", json!("DB-2"), "/hostname"),
        ("ip_address", json!("192.0.2.256"), "/ip_address"),
        ("cpu_cores", json!(0), "/cpu_cores"),
    ] {
        let mut wrong = provisioning("db-2.example.org");
        wrong[name] = fields;
        let refused = service.command(SERVERS, wrong).await;
        assert_eq!(refused.status, 422, "{refused:?}");
        assert!(refused.body["errors"].to_string().contains(field), "{refused:?}");
    }

    let moved = json!({ "hostname": "db-9.example.org", "ip_address": "2001:db8::9" });
    let moved = act(&service, &server, "readdress", moved).await.accepted();
    // The name that it had is free again.
    let second = provision(&service, provisioning("db-1.example.org")).await;
    let _ = act(&service, &server, "relocate", json!({ "rack_location": "B-7" })).await.accepted();
    let _ = act(&service, &server, "resize", json!({ "memory_gb": 64 })).await.accepted();
    let _ =
        act(&service, &server, "assign_customer", json!({ "customer_id": ada })).await.accepted();
    let _ =
        act(&service, &server, "enter_maintenance", json!({ "reason": "a disk" })).await.accepted();
    let maintained = act(&service, &server, "leave_maintenance", json!({})).await.accepted();

    let row = service.read_after(&address, &maintained["position"]).await.accepted();
    for (column, value) in [
        ("hostname", json!("db-9.example.org")),
        ("ip_address", json!("2001:db8::9")),
        ("rack_location", json!("B-7")),
        ("cpu_cores", json!(8)),
        ("memory_gb", json!(64)),
        ("storage_gb", json!(null)),
        ("customer_id", json!(ada)),
        ("status", json!("active")),
    ] {
        assert_eq!(row[column], value, "{column} of {row}");
    }
    let then = format!("{address}?at_position={}", moved["position"]);
    let then = service.read_after(&then, &maintained["position"]).await.accepted();
    assert_eq!((&then["hostname"], &then["memory_gb"]), (&json!("db-9.example.org"), &json!(null)));

    // Its customer looks at it, and nothing more.
    let key = key_of(&service, ada).await;
    let hers = service.ask(Method::GET, &address, &key, None, &[]).await.accepted();
    assert_eq!(hers["customer_id"], json!(ada), "{hers}");
    let path = format!("{address}/decommission");
    let refused = service.ask(Method::POST, &path, &key, Some(json!({})), &[]).await;
    assert_eq!(refused.refused(403), "forbidden");

    let gone =
        act(&service, &server, "decommission", json!({ "reason": "too old" })).await.accepted();
    let again = act(&service, &server, "decommission", json!({})).await.accepted();
    assert_eq!(again["version"], gone["version"], "what is so already appends nothing");
    let after = act(&service, &server, "resize", json!({ "cpu_cores": 9 })).await;
    assert_eq!(after.refused(409), "server-decommissioned");
    let kept = act(&service, &second, "readdress", json!({ "hostname": "db-9.example.org" })).await;
    assert_eq!(kept.refused(409), "taken");

    let trail = format!("/v1/platform/audit_logs?entity_id={server}");
    let trail = service.read_after(&trail, &gone["position"]).await.accepted();
    let rows = trail["data"].as_array().expect("rows");
    assert_eq!(rows.len(), 8, "{trail}");
    assert_eq!(rows[0]["new_values"]["status"], "decommissioned");
    assert_eq!(rows[0]["old_values"]["status"], "active");
    assert_rebuilt_the_same(&service);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_those_who_want_one_name_at_once_one_gets_it() {
    let service = Service::start().await;
    for round in 0..5 {
        let name = format!("web-{round}.example.org");
        let asked = join_all((0..8).map(|_| service.command(SERVERS, provisioning(&name)))).await;
        let won = asked.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(won, 1, "{asked:?}");
        for lost in asked.iter().filter(|answer| answer.status != 201) {
            assert_eq!(lost.refused(409), "taken");
        }
    }
    // A customer who is suspended at the same moment has it before that, or not at all.
    for round in 0..5 {
        let customer = service.register(&format!("user-{round}")).await;
        let server = provision(&service, provisioning(&format!("c-{round}.example.org"))).await;
        let suspend = format!("/v1/identity/users/{customer}/suspend");
        let fields = json!({ "customer_id": customer });
        let (assigned, suspended) = futures::join!(
            act(&service, &server, "assign_customer", fields),
            service.command(&suspend, json!({})),
        );
        let suspended = suspended.accepted();
        if assigned.status.is_success() {
            let at = |answer: &serde_json::Value| answer["position"].as_i64().expect("a position");
            assert!(at(&assigned.accepted()) < at(&suspended));
        } else {
            assert_eq!(assigned.refused(409), "customer-not-active");
        }
    }
}
