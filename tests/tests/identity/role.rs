//! `identity.role`, the whole way.

use daybook_tests::Service;
use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{PERMISSIONS, ROLES, USERS, key_of, live_is_rebuilt, rows, within_five_seconds};

async fn create(service: &Service, path: &str, fields: Value) -> String {
    let created = service.command(path, fields).await.accepted();
    created["stream_id"].as_str().expect("a stream").to_owned()
}

async fn role(service: &Service, name: &str) -> String {
    create(service, ROLES, json!({"name": name})).await
}

#[tokio::test]
async fn a_role_gives_what_it_grants_until_it_goes() {
    let service = Service::start().await;
    let ada = service.register("ada").await;
    let bob = service.register("bob").await;
    let key = key_of(&service, bob).await;
    let hers = format!("{USERS}/{ada}");
    within_five_seconds(&service, &key, &hers, StatusCode::NOT_FOUND).await;

    let fields = json!({"name": "read users", "resource": "identity.user", "action": "read"});
    let permission = create(&service, PERMISSIONS, fields).await;
    let desk = role(&service, "desk").await;
    let grant = format!("{ROLES}/{desk}/grant_permission");
    let granted = json!({"permission_id": permission});
    let first = service.command(&grant, granted.clone()).await.accepted();
    assert_eq!(first["events"], json!(["identity.role.permission_granted"]));
    let again = service.command(&grant, granted).await.accepted();
    assert_eq!(again["events"], json!([]));
    let no_permission = service.command(&grant, json!({"permission_id": bob})).await;
    assert_eq!(no_permission.refused(404), "not-found");

    let assign = format!("{USERS}/{bob}/assign_role");
    let assigned = service.command(&assign, json!({"role_id": desk})).await.accepted();
    within_five_seconds(&service, &key, &hers, StatusCode::OK).await;
    let suspend = format!("{hers}/suspend");
    let beyond = service.ask(Method::POST, &suspend, &key, Some(json!({})), &[]).await;
    assert_eq!(beyond.status, StatusCode::FORBIDDEN);
    let of_bob = format!("/v1/identity/user_roles?user_id={bob}");
    let of_role = format!("/v1/identity/role_permissions?role_id={desk}");
    let seen = rows(&service, &of_bob, &assigned).await;
    assert_eq!((seen.len(), &seen[0]["role_id"]), (1, &json!(desk)));
    assert_eq!(seen[0]["assigned_at"], assigned["recorded_at"]);
    assert_eq!(rows(&service, &of_role, &assigned).await.len(), 1);

    // What a role grants stays, and so does what a user has.
    let remove = format!("{PERMISSIONS}/{permission}/remove");
    let held = service.command(&remove, json!({})).await;
    assert_eq!(held.refused(409), "held");
    assert_eq!(held.body["holders"], json!([desk]));

    let delete = format!("{ROLES}/{desk}/delete");
    let deleted = service.command(&delete, json!({})).await.accepted();
    let events = json!(["identity.user.role_unassigned", "identity.role.deleted"]);
    assert_eq!(deleted["events"], events);
    assert_eq!((&deleted["stream_id"], &deleted["version"]), (&json!(desk), &json!(3)));
    assert!(rows(&service, &of_bob, &deleted).await.is_empty());
    assert!(rows(&service, &of_role, &deleted).await.is_empty());
    assert!(rows(&service, &format!("{ROLES}?name=desk"), &deleted).await.is_empty());
    within_five_seconds(&service, &key, &hers, StatusCode::NOT_FOUND).await;
    let late = service.command(&assign, json!({"role_id": desk})).await;
    assert_eq!(late.refused(409), "no-such-role");

    let _ = service.command(&remove, json!({})).await.accepted();
    let _ = role(&service, "desk").await;
    live_is_rebuilt(&service);
}

#[tokio::test]
async fn the_built_in_roles_are_there_can_be_assigned_and_stay() {
    let service = Service::start().await;
    let ada = service.register("ada").await;
    let bob = service.register("bob").await;
    let key = key_of(&service, bob).await;
    let all = rows(&service, ROLES, &json!({"position": 1})).await;
    let mut names: Vec<_> = all.iter().map(|role| role["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["admin", "auditor", "manager", "user", "viewer"]);
    assert!(all.iter().all(|role| role["is_system"] == true), "{all:?}");
    for role in &all {
        let path = format!("{ROLES}/{}/delete", role["id"].as_str().unwrap());
        assert_eq!(service.command(&path, json!({})).await.refused(409), "system-role");
    }
    let taken = service.command(ROLES, json!({"name": "admin"})).await;
    assert_eq!(taken.refused(409), "taken");

    let auditor = all.iter().find(|role| role["name"] == "auditor").unwrap();
    let fields = json!({"role_id": auditor["id"]});
    let _ = service.command(&format!("{USERS}/{bob}/assign_role"), fields.clone()).await.accepted();
    within_five_seconds(&service, &key, &format!("{USERS}/{ada}"), StatusCode::OK).await;
    within_five_seconds(&service, &key, "/v1/events?limit=1", StatusCode::OK).await;
    let unassign = format!("{USERS}/{bob}/unassign_role");
    let unassigned = service.command(&unassign, fields.clone()).await.accepted();
    assert_eq!(unassigned["events"], json!(["identity.user.role_unassigned"]));
    assert_eq!(service.command(&unassign, fields).await.accepted()["events"], json!([]));
    within_five_seconds(&service, &key, "/v1/events?limit=1", StatusCode::FORBIDDEN).await;
}

#[tokio::test]
async fn nobody_keeps_a_role_that_goes_while_it_is_assigned() {
    let service = Service::start().await;
    let mut users = Vec::new();
    for n in 0..12 {
        users.push(service.register(&format!("user{n}")).await);
    }
    let desk = role(&service, "desk").await;
    let assign = async |user: &uuid::Uuid| {
        service.command(&format!("{USERS}/{user}/assign_role"), json!({"role_id": desk})).await
    };
    for user in &users[..4] {
        let _ = assign(user).await.accepted();
    }
    let delete = format!("{ROLES}/{desk}/delete");
    let (assigned, deleted) =
        tokio::join!(join_all(users[4..].iter().map(assign)), service.command(&delete, json!({})));
    let deleted = deleted.accepted();
    let mut won = 4;
    for answer in assigned {
        if answer.status.is_success() {
            won += 1;
        } else {
            let code = answer.refused(409);
            assert!(["no-such-role", "reference-closed"].contains(&code), "{answer:?}");
        }
    }
    let events = deleted["events"].as_array().expect("events");
    assert_eq!(events.len(), won + 1, "one for each who had it, and its own: {events:?}");
    let left = rows(&service, &format!("/v1/identity/user_roles?role_id={desk}"), &deleted).await;
    assert!(left.is_empty(), "{left:?}");
    live_is_rebuilt(&service);
}
