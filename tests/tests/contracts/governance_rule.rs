//! `contracts.governance_rule`, the whole way, and what contracts say to it.

use daybook_tests::Service;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::{CONTRACTS, RULES, TRAIL, act, assert_rebuilt_the_same, define, registering, stream};

const PLAIN: &str = "http://a.example";

/// The rules that were asked, and whether each was satisfied, by name.
fn findings(list: &Value) -> Vec<(String, bool)> {
    let name = |finding: &Value| finding["rule_name"].as_str().expect("a name").to_owned();
    let list = list.as_array().expect("findings").iter();
    let mut found: Vec<_> =
        list.map(|finding| (name(finding), finding["passed"] == true)).collect();
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_refuses_and_a_warning_is_written_down() {
    let service = Service::start().await;
    let _ = define(&service, "https", json!({ "kind": "https_only" }), "warning").await;
    let names = json!({ "kind": "name_pattern", "pattern": "^[a-z]+$" });
    let _ = define(&service, "names", names, "error").await;
    let taken =
        json!({ "rule_name": "names", "check": { "kind": "https_only" }, "severity": "error" });
    let taken = service.command(RULES, taken).await;
    assert_eq!(
        (taken.refused(409), &taken.body["scope"]),
        ("taken", &json!("governance_rule.name"))
    );
    for check in [
        json!({ "kind": "name_pattern", "pattern": "(" }),
        json!({ "kind": "host_allowed", "hosts": [] }),
    ] {
        let fields = json!({ "rule_name": "wrong", "check": check, "severity": "error" });
        assert_eq!(service.command(RULES, fields).await.status, 422);
    }

    let refused = service.command(CONTRACTS, registering("PETS", PLAIN)).await;
    assert_eq!(refused.refused(409), "governance-refuses");
    let detail = refused.body["detail"].as_str().expect("a detail");
    assert!(detail.contains("names: the name \"PETS\" does not match ^[a-z]+$"), "{detail}");

    let registered = service.command(CONTRACTS, registering("pets", PLAIN)).await.accepted();
    let contract = registered["stream_id"].as_str().expect("a stream").to_owned();
    let row = service
        .read_after(&format!("{CONTRACTS}/{contract}"), &registered["position"])
        .await
        .accepted();
    assert_eq!(
        findings(&row["governance"]),
        [("https".to_owned(), false), ("names".to_owned(), true)]
    );
    let trail = service
        .read_after(&format!("{TRAIL}?entity_id={contract}"), &registered["position"])
        .await
        .accepted();
    assert_eq!(findings(&trail["data"][0]["governance"]).len(), 2, "{trail}");
    let events = service
        .read_after(&format!("/v1/streams/{contract}/events"), &registered["position"])
        .await
        .accepted();
    assert!(events.to_string().contains("http://a.example is not https"), "{events}");

    assert_rebuilt_the_same(&service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_holds_from_when_it_is_changed_until_it_is_disabled() {
    let service = Service::start().await;
    let https = define(&service, "https", json!({ "kind": "https_only" }), "warning").await;
    let names = json!({ "kind": "name_pattern", "pattern": "^[a-z]+$" });
    let names = define(&service, "names", names, "error").await;
    let contract = stream(service.command(CONTRACTS, registering("pets", PLAIN)).await);
    // A rule that became an error holds from then on, also for what was registered before it.
    let changed =
        act(&service, RULES, &https, "change", json!({ "severity": "error" })).await.accepted();
    assert_eq!(
        changed["events"],
        json!(["contracts.governance_rule.changed", "contracts.rulebook.enforced"])
    );
    let revise = json!({ "version": "1.3.0" });
    let refused = act(&service, CONTRACTS, &contract, "revise", revise.clone()).await;
    assert_eq!(refused.refused(409), "governance-refuses");
    let _ = act(&service, RULES, &https, "disable", json!({ "reason": "later" })).await.accepted();
    let revised = act(&service, CONTRACTS, &contract, "revise", revise).await.accepted();
    let row = service
        .read_after(&format!("{CONTRACTS}/{contract}"), &revised["position"])
        .await
        .accepted();
    assert_eq!(findings(&row["governance"]), [("names".to_owned(), true)]);
    let again = act(&service, RULES, &https, "disable", json!({})).await.accepted();
    assert_eq!(again["events"], json!([]));
    let rows = service
        .read_after(&format!("{RULES}?rule_kind=https_only"), &revised["position"])
        .await
        .accepted();
    assert_eq!(
        (&rows["data"][0]["is_enabled"], &rows["data"][0]["severity"]),
        (&json!(false), &json!("error"))
    );
    let _ = act(&service, RULES, &names, "disable", json!({})).await.accepted();
    let _ = act(&service, RULES, &names, "enable", json!({})).await.accepted();
    assert_rebuilt_the_same(&service);
}

/// Whoever registers while a rule is enabled is before it, or held to it.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_past_a_rule_that_was_enabled_before() {
    let service = Service::start().await;
    let rule = define(&service, "https", json!({ "kind": "https_only" }), "error").await;
    let _ = act(&service, RULES, &rule, "disable", json!({})).await.accepted();
    for round in 0..6 {
        let names: Vec<String> = (0..6).map(|n| format!("api-{round}-{n}")).collect();
        let registering =
            join_all(names.iter().map(|name| service.command(CONTRACTS, registering(name, PLAIN))));
        let enabling = act(&service, RULES, &rule, "enable", json!({}));
        let (answers, enabled) = futures::join!(registering, enabling);
        let enabled = enabled.accepted()["position"].as_i64().expect("a position");
        for answer in answers {
            if answer.status.is_success() {
                let position = answer.body["position"].as_i64().expect("a position");
                assert!(position < enabled, "registered at {position}, past a rule of {enabled}");
            } else {
                assert_eq!(answer.refused(409), "governance-refuses");
            }
        }
        let _ = act(&service, RULES, &rule, "disable", json!({})).await.accepted();
    }
    // The rulebook's own stream is nothing else's.
    let id = daybook_domain::contracts::rulebook::RULEBOOK_STREAM;
    for (path, mut fields) in [
        (CONTRACTS, registering("own", "https://a.example")),
        (
            RULES,
            json!({ "rule_name": "own", "check": { "kind": "https_only" }, "severity": "error" }),
        ),
    ] {
        fields["id"] = json!(id);
        let refused = service.command(path, fields).await;
        assert_eq!(refused.status, 422, "{refused:?}");
    }
    let _ = stream(service.command(CONTRACTS, registering("fine", "https://a.example")).await);
}
