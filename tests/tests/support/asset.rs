//! `support.asset`, the whole way.

use std::collections::BTreeSet;

use daybook_tests::Service;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{act, key_of, rebuilt_is_the_same, trail};

const ASSETS: &str = "/v1/support/assets";

fn laptop(tag: &str) -> Value {
    json!({
        "asset_tag": tag, "asset_type": "laptop", "manufacturer": "Lenovo", "location": "Prague",
        "purchase_date": "2024-02-29", "warranty_expires": "2027-02-28",
        "specifications": { "ram_gb": 32, "disk": { "gb": 512.5 }, "a": [1, "é"] },
    })
}

async fn register(service: &Service, tag: &str) -> String {
    let registered = act(service, ASSETS, laptop(tag)).await;
    format!("{ASSETS}/{}", registered["stream_id"].as_str().expect("a stream"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_goes_from_hand_to_hand_until_it_is_retired() {
    let service = Service::start().await;
    let (ada, bob) = (service.register("ada").await, service.register("bob").await);
    let one = register(&service, "IT-1").await;
    let _ = act(&service, &format!("{one}/assign"), json!({ "user_id": ada })).await;
    let other = service.command(&format!("{one}/assign"), json!({ "user_id": bob })).await;
    assert_eq!(other.refused(409), "asset-assigned");
    let moved = act(&service, &format!("{one}/move"), json!({ "location": "Brno" })).await;
    let row = service.read_after(&one, &moved["position"]).await.accepted();
    assert_eq!((&row["status"], &row["location"]), (&json!("assigned"), &json!("Brno")), "{row}");
    assert_eq!(row["purchase_date"], "2024-02-29", "{row}");
    assert_eq!(row["specifications"]["disk"]["gb"], 512.5, "{row}");

    // Whoever has it sees it, and does nothing to it.
    let key = key_of(&service, ada).await;
    let seen = service.ask(Method::GET, &one, &key, None, &[]).await.accepted();
    assert_eq!(seen["asset_tag"], "IT-1", "{seen}");
    let gives =
        service.ask(Method::POST, &format!("{one}/return"), &key, Some(json!({})), &[]).await;
    assert_eq!(gives.refused(403), "forbidden");

    let fields = json!({ "reason": "screen" });
    let _ = act(&service, &format!("{one}/send_to_repair"), fields).await;
    let broken = service.command(&format!("{one}/assign"), json!({ "user_id": bob })).await;
    assert_eq!(broken.refused(409), "asset-in-repair");
    let _ = act(&service, &format!("{one}/return"), json!({})).await;
    // Only the model is new: the rest is told again as it was.
    let mut fields = laptop("IT-1");
    let known = fields.as_object_mut().expect("fields");
    known.retain(|name, _| !["asset_tag", "asset_type", "location"].contains(&name.as_str()));
    fields["model"] = "X1".into();
    let specified = act(&service, &format!("{one}/specify"), fields).await;
    let _ = act(&service, &format!("{one}/assign"), json!({ "user_id": bob })).await;
    let retired = act(&service, &format!("{one}/retire"), json!({ "reason": "old" })).await;
    let row = service.read_after(&one, &retired["position"]).await.accepted();
    assert_eq!(
        (&row["status"], &row["status_reason"]),
        (&json!("retired"), &json!("old")),
        "{row}"
    );
    assert!(row["assigned_to"].is_null() && row["retired_at"].is_string(), "{row}");
    let late = service.command(&format!("{one}/assign"), json!({ "user_id": ada })).await;
    assert_eq!(late.refused(409), "asset-retired");
    let same_tag = service.command(ASSETS, laptop("IT-1")).await;
    assert_eq!(same_tag.refused(409), "taken", "a retired asset keeps its tag");

    let id = one.rsplit('/').next().expect("an id");
    let trail = trail(&service, id, &retired["position"]).await;
    let specifying = trail.iter().find(|row| row["position"] == specified["position"]);
    let changed: BTreeSet<_> = specifying.expect("an audit row")["new_values"]
        .as_object()
        .expect("columns")
        .keys()
        .cloned()
        .collect();
    assert!(changed.contains("model") && !changed.contains("specifications"), "{changed:?}");
    rebuilt_is_the_same(&service);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_tag_is_one_asset_and_one_asset_is_one_persons() {
    let service = Service::start().await;
    for round in 0..4 {
        let tag = format!("R-{round}");
        let answers = join_all((0..6).map(|_| service.command(ASSETS, laptop(&tag)))).await;
        let made: Vec<_> = answers.iter().filter(|answer| answer.status.is_success()).collect();
        assert_eq!(made.len(), 1, "{answers:?}");
        for answer in answers.iter().filter(|answer| !answer.status.is_success()) {
            assert_eq!(answer.refused(409), "taken");
            assert_eq!(answer.body["scope"], "asset.tag");
        }
        let one = format!("{ASSETS}/{}/assign", made[0].body["stream_id"].as_str().expect("it"));
        let mut people = Vec::new();
        for n in 0..4 {
            people.push(service.register(&format!("p-{round}-{n}")).await);
        }
        let asked = people.iter().map(|person| service.command(&one, json!({ "user_id": person })));
        let answers = join_all(asked).await;
        let given = answers.iter().filter(|answer| answer.status.is_success()).count();
        assert_eq!(given, 1, "{answers:?}");
        for answer in answers.iter().filter(|answer| !answer.status.is_success()) {
            assert_eq!(answer.refused(409), "asset-assigned");
        }
    }
    rebuilt_is_the_same(&service);
}
