//! `support.ticket`, the whole way.

use daybook_tests::Service;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{act, key_of, rebuilt_is_the_same, trail};

const TICKETS: &str = "/v1/support/tickets";

fn ticket(user: Uuid) -> Value {
    json!({ "user_id": user, "title": "No network", "description": "Since nine.\nAll of it." })
}

async fn open(service: &Service, user: Uuid) -> String {
    let opened = act(service, TICKETS, ticket(user)).await;
    format!("{TICKETS}/{}", opened["stream_id"].as_str().expect("a stream"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_goes_its_way_and_comes_back() {
    let service = Service::start().await;
    let (ada, bob) = (service.register("ada").await, service.register("bob").await);
    let one = open(&service, ada).await;
    let id = one.rsplit('/').next().expect("an id");
    let fields = json!({ "priority": "critical", "category": "network" });
    let _ = act(&service, &format!("{one}/triage"), fields.clone()).await;
    let again = act(&service, &format!("{one}/triage"), fields).await;
    assert_eq!(again["events"], json!([]), "as it is already");
    let assign = format!("{one}/assign");
    let _ =
        act(&service, &assign, json!({ "assigned_to": bob, "assigned_group": "Network" })).await;
    let _ = act(&service, &assign, json!({ "assigned_group": "Network" })).await;
    let _ = act(&service, &assign, json!({ "assigned_group": "Cables" })).await;
    let _ = act(&service, &format!("{one}/start"), json!({})).await;
    let waits = act(&service, &format!("{one}/await"), json!({ "on": "vendor" })).await;
    let _ = act(&service, &format!("{one}/note"), json!({ "text": "Called.\nNobody." })).await;
    let fields = json!({ "resolution": "Plugged in" });
    let solved = act(&service, &format!("{one}/resolve"), fields).await;
    let row = service.read_after(&one, &solved["position"]).await.accepted();
    assert_eq!(row["status"], "resolved", "{row}");
    assert_eq!((&row["resolution"], &row["category"]), (&json!("Plugged in"), &json!("network")));
    assert_eq!((&row["reassignment_count"], &row["note_count"]), (&json!(2), &json!(1)));
    assert!(row["resolved_at"].is_string() && row["assigned_to"].is_null(), "{row}");

    let _ = act(&service, &format!("{one}/close"), json!({})).await;
    let refused = service.command(&format!("{one}/start"), json!({})).await;
    assert_eq!(refused.refused(409), "ticket-not-open");
    assert_eq!(refused.body["detail"], "the ticket is closed; reopen it first");
    let reopened = act(&service, &format!("{one}/reopen"), json!({ "reason": "again" })).await;
    let row = service.read_after(&one, &reopened["position"]).await.accepted();
    assert_eq!((&row["status"], &row["reopen_count"]), (&json!("open"), &json!(1)), "{row}");
    assert!(row["resolved_at"].is_null() && row["closed_at"].is_null(), "{row}");

    let then = format!("{one}?at_position={}", waits["position"]);
    let then = service.read_after(&then, &reopened["position"]).await.accepted();
    assert_eq!(then["status"], "awaiting_vendor", "{then}");
    let trail = trail(&service, id, &reopened["position"]).await;
    let states: Vec<_> =
        trail.iter().filter_map(|row| row["new_values"]["status"].as_str()).collect();
    assert_eq!(states, ["open", "in_progress", "awaiting_vendor", "resolved", "closed", "open"]);
    let listed = format!("{TICKETS}?assigned_group=Cables&status=open");
    let listed = service.read_after(&listed, &reopened["position"]).await.accepted();
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1), "{listed}");

    let api = service.read_after("/openapi.json", &json!(0)).await.accepted();
    assert!(api["paths"].get("/v1/support/tickets/{id}/await").is_some());
    rebuilt_is_the_same(&service);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_needs_help_asks_for_themselves_and_leaves_the_work_to_others() {
    let service = Service::start().await;
    let (ada, bob) = (service.register("ada").await, service.register("bob").await);
    let key = key_of(&service, ada).await;
    let (hers, his) = (open(&service, ada).await, open(&service, bob).await);
    let ask = async |path: &str, fields: Value| {
        service.ask(Method::POST, path, &key, Some(fields), &[]).await
    };
    let _ = ask(TICKETS, ticket(ada)).await.accepted();
    assert_eq!(ask(TICKETS, ticket(bob)).await.refused(403), "forbidden");
    let assigning = json!({ "assigned_group": "Mine" });
    let mut fields = ticket(ada);
    fields["assigned_group"] = "Mine".into();
    assert_eq!(ask(TICKETS, fields).await.refused(403), "assigning-needs-manager");
    assert_eq!(ask(&format!("{hers}/assign"), assigning).await.refused(403), "forbidden");
    let noted = ask(&format!("{hers}/note"), json!({ "text": "Still" })).await.accepted();
    assert_eq!(noted["version"], 2);
    assert_eq!(ask(&format!("{his}/note"), json!({ "text": "x" })).await.refused(403), "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_a_ticket_after_they_were_suspended() {
    let service = Service::start().await;
    for round in 0..4 {
        let carol = service.register(&format!("carol-{round}")).await;
        let others = service.register(&format!("dan-{round}")).await;
        let about_another = open(&service, others).await;
        let suspend = format!("/v1/identity/users/{carol}/suspend");
        let assign = format!("{about_another}/assign");
        let asked = (0..9).map(|n| {
            let (path, fields) = match n {
                4 => (suspend.as_str(), json!({})),
                n if n % 2 == 0 => (TICKETS, ticket(carol)),
                _ => (assign.as_str(), json!({ "assigned_to": carol })),
            };
            service.command(path, fields)
        });
        let answers = join_all(asked).await;
        let ended = answers[4].clone().accepted()["position"].as_i64().expect("a position");
        for (n, answer) in answers.iter().enumerate().filter(|(n, _)| *n != 4) {
            if answer.status.is_success() {
                let position = answer.body["position"].as_i64().expect("a position");
                // Where she had it already, nothing was appended.
                assert!(position < ended || answer.body["events"] == json!([]), "{n}: {answer:?}");
            } else {
                let code = answer.refused(409);
                let known = ["owner-not-active", "assignee-not-active"];
                assert!(known.contains(&code), "{answer:?}");
            }
        }
    }
    rebuilt_is_the_same(&service);
}
