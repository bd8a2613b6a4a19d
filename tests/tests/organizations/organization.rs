//! `organizations.organization`, the whole way.

use std::fmt::Write as _;

use daybook_tests::Service;
use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    BILLING, MEMBERS, ORGANIZATIONS, Person, RESOURCES, create, person, rebuilt_is_the_same,
    resource, rows, send, stream,
};

#[tokio::test]
async fn people_come_and_go_and_an_owner_stays() {
    let service = Service::start().await;
    let ada = person(&service, "ada").await;
    let bob = person(&service, "bob").await;
    let cyd = person(&service, "cyd").await;
    let organization = create(&service, &ada, "Oakford").await;
    let address = format!("{ORGANIZATIONS}/{organization}");
    let add = format!("{address}/add_member");
    let list = format!("{MEMBERS}?org_id={organization}");

    let fields = json!({"user_id": bob.id, "role": "member"});
    let _ = send(&service, &ada, &add, fields.clone()).await.accepted();
    let again = send(&service, &ada, &add, fields).await.accepted();
    assert_eq!(again["events"], json!([]));
    // Nobody is taken in by those who do not administer it.
    let fields = json!({"user_id": cyd.id, "role": "owner"});
    assert_eq!(send(&service, &bob, &add, fields.clone()).await.refused(403), "forbidden");
    assert_eq!(send(&service, &cyd, &add, fields).await.refused(403), "forbidden");
    let unknown = json!({"user_id": Uuid::now_v7(), "role": "member"});
    assert_eq!(send(&service, &ada, &add, unknown).await.refused(409), "member-not-found");
    let _ = service.command(&format!("/v1/identity/users/{}/suspend", cyd.id), json!({})).await;
    let suspended = json!({"user_id": cyd.id, "role": "member"});
    assert_eq!(send(&service, &ada, &add, suspended).await.refused(409), "member-not-active");

    let remove = format!("{address}/remove_member");
    let last = send(&service, &ada, &remove, json!({"user_id": ada.id})).await;
    assert_eq!(last.refused(409), "last-owner");
    let change = format!("{address}/change_member_role");
    let fields = json!({"user_id": bob.id, "role": "admin"});
    let risen = send(&service, &ada, &change, fields).await.accepted();

    let members = rows(&service, &list, &risen["position"]).await;
    let roles: Vec<_> =
        members.iter().map(|row| (row["user_id"].clone(), row["role"].clone())).collect();
    assert_eq!(roles.len(), 2);
    assert!(roles.contains(&(json!(ada.id), json!("owner"))), "{roles:?}");
    assert!(roles.contains(&(json!(bob.id), json!("admin"))), "{roles:?}");
    let row = service.read_after(&address, &risen["position"]).await.accepted();
    assert_eq!((&row["name"], &row["plan_tier"]), (&json!("Oakford"), &json!("free")));

    // Bob sees it, and leaves on his own; then he does not.
    let seen = service.ask(Method::GET, &address, &bob.key, None, &[]).await;
    assert_eq!(seen.status, StatusCode::OK, "{seen:?}");
    let left = send(&service, &bob, &remove, json!({"user_id": bob.id})).await.accepted();
    let members = rows(&service, &list, &left["position"]).await;
    assert_eq!(members.len(), 1);
    let unseen = service.ask(Method::GET, &address, &bob.key, None, &[]).await;
    assert_eq!(unseen.status, StatusCode::NOT_FOUND, "{unseen:?}");
    let plan = json!({"plan_tier": "business"});
    let refused = send(&service, &bob, &format!("{address}/change_plan"), plan.clone()).await;
    assert_eq!(refused.refused(403), "forbidden");
    let changed = send(&service, &ada, &format!("{address}/change_plan"), plan).await.accepted();

    let trail = format!("/v1/platform/audit_logs?entity_id={organization}");
    let trail = rows(&service, &trail, &changed["position"]).await;
    assert!(
        trail.iter().any(|row| row["entity_type"] == "org_members"
            && row["action"] == "DELETE"
            && row["old_values"]["user_id"] == json!(bob.id)
            && row["user_id"] == json!(bob.id)),
        "{trail:?}"
    );
    assert!(
        trail.iter().any(|row| row["old_values"]["plan_tier"] == "free"
            && row["new_values"]["plan_tier"] == "business"),
        "{trail:?}"
    );
    let then = format!("{address}?at_position={}", risen["position"]);
    let then = service.read_after(&then, &changed["position"]).await.accepted();
    assert_eq!(then["plan_tier"], "free");
    rebuilt_is_the_same(&service);
}

#[tokio::test]
async fn what_it_has_goes_with_it_and_comes_back_with_it() {
    let service = Service::start().await;
    let ada = person(&service, "ada").await;
    let organization = create(&service, &ada, "Oakford").await;
    let address = format!("{ORGANIZATIONS}/{organization}");
    let mut resources = Vec::new();
    for name in ["printer", "press", "sold"] {
        resources.push(resource(&service, &organization, name).await);
    }
    let sold = format!("{RESOURCES}/{}/delete", resources[2]);
    let _ = service.command(&sold, json!({"reason": "sold"})).await.accepted();

    let deleted = send(&service, &ada, &format!("{address}/delete"), json!({})).await.accepted();
    assert_eq!(
        deleted["events"],
        json!([
            "organizations.organization.deleted",
            "organizations.resource.deleted",
            "organizations.resource.deleted"
        ])
    );
    let list = format!("{RESOURCES}?org_id={organization}");
    let gone = rows(&service, &list, &deleted["position"]).await;
    assert!(gone.iter().all(|row| row["deleted_at"].is_string()), "{gone:?}");
    let row = service.read_after(&address, &deleted["position"]).await.accepted();
    assert!(row["deleted_at"].is_string(), "{row}");
    // Deleted again: nothing. And nothing more happens to it, or in it.
    let again = send(&service, &ada, &format!("{address}/delete"), json!({})).await.accepted();
    assert_eq!(again["events"], json!([]));
    let rename = send(&service, &ada, &format!("{address}/rename"), json!({"name": "x"})).await;
    assert_eq!(rename.refused(409), "organization-deleted");
    let fields = json!({"org_id": organization, "name": "late", "type": "device"});
    assert_eq!(service.command(RESOURCES, fields).await.refused(409), "organization-deleted");
    let alone = format!("{RESOURCES}/{}/restore", resources[0]);
    assert_eq!(service.command(&alone, json!({})).await.refused(409), "organization-deleted");

    let restored = send(&service, &ada, &format!("{address}/restore"), json!({})).await.accepted();
    let back = rows(&service, &list, &restored["position"]).await;
    let still_gone: Vec<_> =
        back.iter().filter(|row| row["deleted_at"].is_string()).map(|row| &row["id"]).collect();
    assert_eq!((back.len(), still_gone), (3, vec![&json!(resources[2])]));
    // It is found again the next time.
    let deleted = send(&service, &ada, &format!("{address}/delete"), json!({})).await.accepted();
    assert_eq!(deleted["events"].as_array().map(Vec::len), Some(3));
    let _ = send(&service, &ada, &format!("{address}/restore"), json!({})).await.accepted();
    let alone = service.command(&format!("{RESOURCES}/{}/restore", resources[2]), json!({})).await;
    assert_eq!(alone.accepted()["events"], json!(["organizations.resource.restored"]));
    rebuilt_is_the_same(&service);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_faster_an_owner_stays_and_nothing_outlives_the_organization() {
    let service = Service::start().await;
    let ada = person(&service, "ada").await;
    let bob = person(&service, "bob").await;
    for round in 0..4 {
        let organization = create(&service, &ada, &format!("Round {round}")).await;
        let address = format!("{ORGANIZATIONS}/{organization}");
        let fields = json!({"user_id": bob.id, "role": "owner"});
        let _ = send(&service, &ada, &format!("{address}/add_member"), fields).await.accepted();
        let (remove, change) =
            (format!("{address}/remove_member"), format!("{address}/change_member_role"));
        let (first, second) = futures::join!(
            send(&service, &ada, &remove, json!({"user_id": bob.id})),
            send(&service, &bob, &change, json!({"user_id": ada.id, "role": "viewer"})),
        );
        let won = [&first, &second].iter().filter(|answer| answer.status == 200).count();
        assert_eq!(won, 1, "{first:?} {second:?}");

        let organization = create(&service, &ada, &format!("Race {round}")).await;
        let address = format!("{ORGANIZATIONS}/{organization}");
        let before = resource(&service, &organization, "before").await;
        let made = (0..8).map(|n| {
            let fields = json!({"org_id": organization, "name": format!("r{n}"), "type": "device"});
            service.command(RESOURCES, fields)
        });
        let delete = format!("{address}/delete");
        let touched = format!("{RESOURCES}/{before}/set_metadata");
        let (answers, deleted, touched) = futures::join!(
            join_all(made),
            send(&service, &ada, &delete, json!({})),
            service.command(&touched, json!({"metadata": {"a": round}})),
        );
        let deleted = deleted.accepted();
        for answer in &answers {
            let late = answer.status == 409
                && ["organization-deleted", "reference-closed"].contains(&answer.refused(409));
            assert!(answer.status == 201 || late, "{answer:?}");
        }
        assert!(touched.status == 200 || touched.refused(409) == "resource-deleted");
        let with_it = deleted["events"].as_array().map_or(0, Vec::len) - 1;
        let accepted = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(with_it, accepted + 1, "{deleted}: {answers:?}");
        let list = format!("{RESOURCES}?org_id={organization}");
        let all = rows(&service, &list, &deleted["position"]).await;
        assert!(all.iter().all(|row| row["deleted_at"].is_string()), "{all:?}");
        assert_eq!(all.len(), with_it);
    }
    rebuilt_is_the_same(&service);
}

#[tokio::test]
async fn members_act_on_its_behalf_each_as_what_they_are() {
    let service = Service::start().await;
    let ada = person(&service, "ada").await;
    let (bob, cyd) = (person(&service, "bob").await, person(&service, "cyd").await);
    let dan = person(&service, "dan").await;
    let organization = create(&service, &ada, "Oakford").await;
    let address = format!("{ORGANIZATIONS}/{organization}");
    let mut added = json!(null);
    for (who, role) in [(&bob, "member"), (&cyd, "viewer")] {
        let fields = json!({"user_id": who.id, "role": role});
        let answer = send(&service, &ada, &format!("{address}/add_member"), fields).await;
        added = answer.accepted()["position"].clone();
    }
    // Who is a member is looked up in the read tables.
    let _ = service.read_after(&address, &added).await.accepted();
    let behalf = [("x-organization-id", organization.as_str())];
    let act = async |who: &Person, path: &str, fields: Value| {
        service.ask(Method::POST, path, &who.key, Some(fields), &behalf).await
    };
    let printer = json!({"org_id": organization, "name": "printer", "type": "device"});
    let billing = json!({"org_id": organization, "billing_email": "bills@example.org",
        "company_name": "Oakford Ltd"});
    let made = act(&bob, RESOURCES, printer.clone()).await.accepted();
    assert_eq!(act(&bob, BILLING, billing.clone()).await.refused(403), "forbidden");
    assert_eq!(act(&cyd, RESOURCES, printer.clone()).await.refused(403), "forbidden");
    assert_eq!(act(&dan, RESOURCES, printer.clone()).await.refused(403), "forbidden");
    let _ = act(&ada, BILLING, billing).await.accepted();
    // Not on its behalf, it is none of theirs; nor is another organization's.
    assert_eq!(send(&service, &bob, RESOURCES, printer).await.refused(403), "forbidden");
    let other = create(&service, &dan, "Elsewhere").await;
    let theirs = json!({"org_id": other, "name": "printer", "type": "device"});
    assert_eq!(act(&ada, RESOURCES, theirs).await.refused(403), "forbidden");

    let resource = format!("{RESOURCES}/{}", stream(&made));
    let _ = service.read_after(&resource, &made["position"]).await.accepted();
    for who in [&ada, &bob, &cyd] {
        let seen = service.ask(Method::GET, &resource, &who.key, None, &behalf).await;
        assert_eq!(seen.status, StatusCode::OK, "{seen:?}");
    }
    let unseen = service.ask(Method::GET, &resource, &dan.key, None, &[]).await;
    assert_eq!(unseen.refused(404), "not-found");
}

#[tokio::test]
async fn its_sessions_end_with_it() {
    let service = Service::start().await;
    let ada = person(&service, "ada").await;
    let organization = create(&service, &ada, "Oakford").await;
    let address = format!("{ORGANIZATIONS}/{organization}");
    let _ = resource(&service, &organization, "printer").await;
    let mut tokens = Vec::new();
    let mut opened = json!(null);
    for fields in [
        json!({"user_id": ada.id, "org_id": organization}),
        json!({"user_id": ada.id, "org_id": organization}),
        json!({"user_id": ada.id}),
    ] {
        let answer = send(&service, &ada, "/v1/identity/sessions", fields).await.accepted();
        tokens.push(answer["token"].as_str().expect("shown once").to_owned());
        opened = answer["position"].clone();
    }
    let _ = service.read_after(&address, &opened).await.accepted();
    let status =
        async |token: &str| service.ask(Method::GET, &address, token, None, &[]).await.status;
    for token in &tokens {
        assert_eq!(status(token).await, StatusCode::OK);
    }

    let deleted = send(&service, &ada, &format!("{address}/delete"), json!({})).await.accepted();
    assert_eq!(
        deleted["events"],
        json!([
            "organizations.organization.deleted",
            "organizations.resource.deleted",
            "identity.session.closed",
            "identity.session.closed"
        ])
    );
    // A token is believed for a moment after that is posted. When it was tried counts, not when that was
    // answered.
    service.posted().await;
    let posted = std::time::Instant::now();
    for token in &tokens[..2] {
        let mut tried = posted.elapsed();
        while status(token).await != StatusCode::UNAUTHORIZED {
            assert!(tried.as_secs() < 5, "it still works after {tried:?}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            tried = posted.elapsed();
        }
    }
    assert_eq!(status(&tokens[2]).await, StatusCode::OK);
    // Restored, it has its resources back; closed sessions stay closed.
    let restored = send(&service, &ada, &format!("{address}/restore"), json!({})).await.accepted();
    assert_eq!(restored["events"].as_array().map(Vec::len), Some(2));
    rebuilt_is_the_same(&service);
}

/// The most that goes in one request, and one more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_go_along_and_no_more() {
    let service = Service::start().await;
    let ada = person(&service, "ada").await;
    let organization = create(&service, &ada, "Large").await;
    let address = format!("{ORGANIZATIONS}/{organization}");
    let mut lines = String::new();
    for n in 0..10_000 {
        let line = json!({"type": "organizations.resource.create",
            "data": {"org_id": organization, "name": format!("r{n}"), "type": "device"}});
        writeln!(lines, "{line}").expect("a line");
    }
    let answers = service.batch(lines).await;
    let made = answers.iter().filter(|answer| answer["status"] == 201).count();
    assert_eq!(made, 10_000, "{:?}", answers.iter().find(|answer| answer["status"] != 201));
    let one_more = resource(&service, &organization, "one more").await;

    let refused = send(&service, &ada, &format!("{address}/delete"), json!({})).await;
    assert_eq!(refused.refused(409), "too-much-at-once");
    let way_on = refused.body["detail"].as_str().expect("a detail");
    assert!(way_on.contains("10000") && way_on.contains("delete some"), "{way_on}");
    let delete = format!("{RESOURCES}/{one_more}/delete");
    let _ = service.command(&delete, json!({})).await.accepted();

    let mut last = Value::Null;
    for name in ["delete", "restore"] {
        let began = std::time::Instant::now();
        let answer = send(&service, &ada, &format!("{address}/{name}"), json!({})).await;
        println!("{name} of 10,000: {:?}", began.elapsed());
        let answer = answer.accepted();
        assert_eq!(answer["events"].as_array().map(Vec::len), Some(10_001));
        last = answer;
    }
    assert_eq!(stream(&last), organization);
    let row = service.read_after(&address, &last["position"]).await.accepted();
    assert_eq!(row["deleted_at"], Value::Null);
    rebuilt_is_the_same(&service);
}
