//! `contracts.api_contract`, the whole way.

use std::time::{Duration, SystemTime};

use daybook_tests::Service;
use futures::future::join_all;
use serde_json::json;

use crate::{ALIASES, CONTRACTS, TRAIL, act, assert_rebuilt_the_same, registering, stream};

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_is_registered_revised_and_archived() {
    let service = Service::start().await;
    let contract =
        stream(service.command(CONTRACTS, registering("pets", "https://a.example")).await);
    let taken = service.command(CONTRACTS, registering("pets", "https://b.example")).await;
    let scope = json!("api_contract.canonical_name");
    assert_eq!((taken.refused(409), &taken.body["scope"]), ("taken", &scope));
    for (name, value) in [("version", json!("")), ("base_url", json!("ftp://a.example"))] {
        let mut wrong = registering("cats", "https://a.example");
        wrong[name] = value;
        assert_eq!(service.command(CONTRACTS, wrong).await.status, 422, "{name}");
    }

    let to = async |version: &str| {
        act(&service, CONTRACTS, &contract, "revise", json!({ "version": version })).await
    };
    assert_eq!(to("1.1.0").await.refused(409), "version-not-above");
    let revised = to("1.10.0").await.accepted();
    assert_eq!(to("1.10.0").await.accepted()["version"], revised["version"], "it is so already");
    assert_eq!(to("1.9.0").await.refused(409), "version-not-above");
    let deprecated = act(&service, CONTRACTS, &contract, "deprecate", json!({})).await.accepted();
    let archived = act(&service, CONTRACTS, &contract, "archive", json!({})).await.accepted();
    assert_eq!(to("2.0.0").await.refused(409), "api-contract-archived");

    let address = format!("{CONTRACTS}/{contract}");
    let row = service.read_after(&address, &archived["position"]).await.accepted();
    assert_eq!((&row["version"], &row["status"]), (&json!("1.10.0"), &json!("archived")));
    for (position, version, status) in [
        (&revised["position"], "1.10.0", "active"),
        (&deprecated["position"], "1.10.0", "deprecated"),
    ] {
        let then = format!("{address}?at_position={position}");
        let then = service.read_after(&then, &archived["position"]).await.accepted();
        assert_eq!((&then["version"], &then["status"]), (&json!(version), &json!(status)));
    }
    let trail = service
        .read_after(&format!("{TRAIL}?entity_id={contract}"), &archived["position"])
        .await
        .accepted();
    let told: Vec<_> = trail["data"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| {
            (row["action"].as_str().expect("text"), row["event_type"].as_str().expect("text"))
        })
        .collect();
    assert_eq!(
        told,
        [
            ("UPDATE", "contracts.api_contract.archived"),
            ("UPDATE", "contracts.api_contract.deprecated"),
            ("UPDATE", "contracts.api_contract.revised"),
            ("INSERT", "contracts.api_contract.registered"),
        ]
    );
    let first = &trail["data"][2];
    assert_eq!(
        (&first["old_values"]["version"], &first["new_values"]["version"]),
        (&json!("1.2.0"), &json!("1.10.0"))
    );
    // The same is in the trail of everything, and the registry's own trail is not itself in it.
    let all = format!("/v1/platform/audit_logs?entity_id={contract}");
    let all = service.read_after(&all, &archived["position"]).await.accepted();
    assert_eq!(all["data"].as_array().expect("rows").len(), 4, "{all}");
    let own = "/v1/platform/audit_logs?entity_type=ssot_audit_logs";
    let own = service.read_after(own, &archived["position"]).await.accepted();
    assert_eq!(own["data"], json!([]));
    assert_rebuilt_the_same(&service);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_is_taken_once_in_its_context_for_ever() {
    let service = Service::start().await;
    let pets = stream(service.command(CONTRACTS, registering("pets", "https://a.example")).await);
    let cats = stream(service.command(CONTRACTS, registering("cats", "https://a.example")).await);
    let alias = |name: &str, context: &str| json!({ "alias_name": name, "context": context });

    // Of those who want one alias at once, one gets it.
    for round in 0..5 {
        let name = format!("animals-{round}");
        let asked = join_all((0..8).map(|n| {
            let contract = if n % 2 == 0 { &pets } else { &cats };
            act(&service, CONTRACTS, contract, "add_alias", alias(&name, "web"))
        }))
        .await;
        let made: usize = asked
            .iter()
            .filter(|answer| answer.status.is_success())
            .map(|answer| answer.body["events"].as_array().expect("events").len())
            .sum();
        assert_eq!(made, 1, "{asked:?}");
        for lost in asked.iter().filter(|answer| !answer.status.is_success()) {
            assert_eq!(lost.refused(409), "taken");
        }
    }
    let elsewhere =
        act(&service, CONTRACTS, &cats, "add_alias", alias("animals-0", "mobile")).await.accepted();
    let path = format!("{ALIASES}?alias_name=animals-0&context=web");
    let rows = service.read_after(&path, &elsewhere["position"]).await.accepted();
    let row = &rows["data"][0];
    let holder = row["contract_id"].as_str().expect("a contract");
    let ended = act(
        &service,
        CONTRACTS,
        holder,
        "deactivate_alias",
        json!({ "alias_id": row["id"], "reason": "moved" }),
    )
    .await
    .accepted();
    for (contract, code) in
        [(holder, "alias-taken"), (if holder == pets { &cats } else { &pets }, "taken")]
    {
        let again =
            act(&service, CONTRACTS, contract, "add_alias", alias("animals-0", "web")).await;
        assert_eq!(again.refused(409), code);
    }
    let rows = service.read_after(&path, &ended["position"]).await.accepted();
    let row = &rows["data"][0];
    assert_eq!((&row["is_active"], &row["ended_reason"]), (&json!(false), &json!("moved")));

    assert_rebuilt_the_same(&service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_alias_ends_by_itself() {
    let service = Service::start().await;
    let pets = stream(service.command(CONTRACTS, registering("pets", "https://a.example")).await);
    let mut wrong = json!({ "alias_name": "soon", "context": "web" });
    wrong["alias_type"] = json!("temporary");
    assert_eq!(
        act(&service, CONTRACTS, &pets, "add_alias", wrong.clone()).await.refused(422),
        "expiry-missing"
    );
    wrong["expires_at"] = json!("2020-01-01T00:00:00Z");
    assert_eq!(
        act(&service, CONTRACTS, &pets, "add_alias", wrong.clone()).await.refused(422),
        "expiry-not-in-future"
    );
    // Until then it is added, read and found not to be due.
    let at = chrono::DateTime::<chrono::Utc>::from(SystemTime::now() + Duration::from_secs(10));
    wrong["expires_at"] = json!(at);
    let added = act(&service, CONTRACTS, &pets, "add_alias", wrong).await.accepted();
    let rows = service
        .read_after(&format!("{ALIASES}?alias_name=soon"), &added["position"])
        .await
        .accepted();
    let id = json!({ "alias_id": rows["data"][0]["id"] });
    // It expires when its time has come: the scheduler says so.
    let early = act(&service, CONTRACTS, &pets, "expire_alias", id.clone()).await;
    assert_eq!(early.refused(409), "alias-not-due");
    let path = format!("{ALIASES}?alias_name=soon");
    let mut row = rows["data"][0].clone();
    for _ in 0..200 {
        if row["is_active"] == json!(false) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        row = service.read_after(&path, &added["position"]).await.accepted()["data"][0].clone();
    }
    assert_eq!((&row["is_active"], &row["ended_reason"]), (&json!(false), &json!("expired")));
    assert_eq!(row["updated_by"], json!(daybook_domain::context::SCHEDULER_USER));
    assert_rebuilt_the_same(&service);
}
