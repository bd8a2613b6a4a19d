//! `identity.session`, the whole way.

use daybook_tests::{Answer, Service};
use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{USERS, key_of, live_is_rebuilt, rows, within_five_seconds};

const SESSIONS: &str = "/v1/identity/sessions";
const ORGANIZATIONS: &str = "/v1/organizations/organizations";
const PASSWORD: &str = "correct horse battery";

async fn sign_in(service: &Service, login: &str, password: &str) -> Answer {
    let fields = json!({"login": login, "password": password});
    service.ask_openly(Method::POST, SESSIONS, Some(fields)).await
}

fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_else(|| panic!("no {name}: {answer}")).to_owned()
}

#[tokio::test]
async fn who_knows_the_password_gets_a_token_that_works_until_it_is_closed() {
    let service = Service::start().await;
    let ada = service.register("ada").await;
    let itself = format!("{USERS}/{ada}");
    let opened = sign_in(&service, "ADA@example.org", PASSWORD).await;
    assert_eq!(opened.status, StatusCode::CREATED, "{opened:?}");
    let opened = opened.accepted();
    assert_eq!(opened["events"], json!(["identity.session.opened"]));
    let (token, session) = (text(&opened, "token"), text(&opened, "stream_id"));
    within_five_seconds(&service, &token, &itself, StatusCode::OK).await;
    let row = service.read_after(&itself, &opened["position"]).await.accepted();
    assert!(row["last_login"].is_string(), "{row}");
    let address = format!("{SESSIONS}/{session}");
    let row = service.read_after(&address, &opened["position"]).await.accepted();
    assert_eq!((&row["user_id"], &row["status"]), (&json!(ada), &json!("active")));
    assert!(row["ip_address"].is_string() && row.get("token_hash").is_none(), "{row}");

    // What is done in a session says so.
    let rename = format!("{itself}/change_profile");
    let fields = Some(json!({"full_name": "Ada King"}));
    let renamed = service.ask(Method::POST, &rename, &token, fields, &[]).await.accepted();
    let trail = format!("/v1/platform/audit_logs?entity_id={ada}");
    let trail = rows(&service, &trail, &renamed).await;
    assert_eq!(trail[0]["session_id"], json!(session), "{trail:?}");

    // A user with an open session is not deleted; the refusal names it.
    let delete = format!("{itself}/delete");
    let held = service.command(&delete, json!({})).await;
    assert_eq!(held.refused(409), "held");
    assert_eq!(held.body["holders"], json!([session]));

    let close = format!("{address}/close");
    let closed = service.ask(Method::POST, &close, &token, Some(json!({})), &[]).await.accepted();
    within_five_seconds(&service, &token, &itself, StatusCode::UNAUTHORIZED).await;
    let again = service.command(&close, json!({})).await.accepted();
    assert_eq!(again["events"], json!([]));
    let extended = service.command(&format!("{address}/extend"), json!({})).await;
    assert_eq!(extended.refused(409), "session-closed");
    let row = service.read_after(&address, &closed["position"]).await.accepted();
    assert_eq!(row["status"], "closed");
    let _ = service.command(&delete, json!({})).await.accepted();
    let gone = sign_in(&service, "ada", PASSWORD).await;
    assert_eq!(gone.refused(409), "user-not-active");

    for path in ["/v1/platform/audit_logs?limit=1000", "/v1/events?limit=1000"] {
        let all = service.read_after(path, &closed["position"]).await.accepted().to_string();
        assert!(!all.contains(&token), "{path}");
    }
    let trail = service.read_after("/v1/platform/audit_logs?limit=1000", &closed["position"]).await;
    assert!(!trail.accepted().to_string().contains("token_hash"));
    live_is_rebuilt(&service);
}

#[tokio::test]
async fn five_failures_lock_however_fast_they_come() {
    let service = Service::start().await;
    let ada = service.register("ada").await;
    let guesses = join_all((0..12).map(|n| sign_in(&service, "ada", ["wrong", "w"][n % 2]))).await;
    let mut failed = 0;
    for guess in &guesses {
        match guess.status {
            StatusCode::UNAUTHORIZED => {
                assert_eq!(guess.refused(401), "sign-in-failed");
                failed += 1;
            }
            _ => assert_eq!(guess.refused(409), "user-locked"),
        }
    }
    assert_eq!(failed, 5, "each of them was a chance: {guesses:?}");
    let locked = sign_in(&service, "ada", PASSWORD).await;
    assert_eq!(locked.refused(409), "user-locked");
    let unlock = format!("{USERS}/{ada}/unlock");
    let unlocked = service.command(&unlock, json!({})).await.accepted();
    let row = service.read_after(&format!("{USERS}/{ada}"), &unlocked["position"]).await.accepted();
    assert_eq!((&row["failed_logins"], &row["locked_until"]), (&json!(0), &Value::Null));
    let _ = sign_in(&service, "ada", PASSWORD).await.accepted();

    // Nobody learns who is there, and nothing else is open to who is not known.
    assert_eq!(sign_in(&service, "nobody", PASSWORD).await.refused(401), "sign-in-failed");
    assert_eq!(sign_in(&service, "\0", PASSWORD).await.refused(401), "sign-in-failed");
    assert_eq!(sign_in(&service, "system", "!").await.refused(401), "sign-in-failed");
    for (path, fields) in [
        (SESSIONS, json!({"user_id": ada})),
        (USERS, json!({"login": "ada", "password": PASSWORD})),
        ("/v1/commands", json!({"type": "identity.session.open"})),
    ] {
        let asked = service.ask_openly(Method::POST, path, Some(fields)).await;
        assert_eq!(asked.refused(401), "unauthenticated", "{path}");
    }
    let listed = service.ask_openly(Method::GET, SESSIONS, None).await;
    assert_eq!(listed.refused(401), "unauthenticated");
    let meddled = json!({"login": "ada", "password": PASSWORD, "user_id": Uuid::nil()});
    let meddled = service.ask_openly(Method::POST, SESSIONS, Some(meddled)).await;
    assert_eq!(meddled.refused(422), "invalid");
}

#[tokio::test]
async fn a_hash_from_another_system_is_replaced_when_it_is_used() {
    let service = Service::start().await;
    // Of the OpenBSD test vectors: "U*U" at cost 5.
    let fields = json!({
        "username": "imported", "email": "imported@example.org", "full_name": "Imported User",
        "password_hash": "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    });
    let _ = service.command(USERS, fields).await.accepted();
    assert_eq!(sign_in(&service, "imported", "U*V").await.refused(401), "sign-in-failed");
    let opened = sign_in(&service, "imported", "U*U").await.accepted();
    let hash = async || -> String {
        sqlx::query_scalar("SELECT password_hash FROM public.users WHERE username = 'imported'")
            .fetch_one(&mut service.database.superuser().await)
            .await
            .expect("a row")
    };
    let _ = service.read_after(USERS, &opened["position"]).await.accepted();
    let replaced = hash().await;
    assert!(replaced.starts_with("$argon2id$"), "{replaced}");
    let again = sign_in(&service, "imported", "U*U").await.accepted();
    let _ = service.read_after(USERS, &again["position"]).await.accepted();
    assert_eq!(hash().await, replaced, "once is enough");
}

#[tokio::test]
async fn all_of_a_users_sessions_are_closed_at_once() {
    let service = Service::start().await;
    let ada = service.register("ada").await;
    let bob = service.register("bob").await;
    for _ in 0..3 {
        let _ = sign_in(&service, "ada", PASSWORD).await.accepted();
    }
    let other = sign_in(&service, "bob", PASSWORD).await.accepted();
    let close = format!("{USERS}/{ada}/close_sessions");
    let closed = service.command(&close, json!({"reason": "lost"})).await.accepted();
    assert_eq!(closed["events"], json!(vec!["identity.session.closed"; 3]));
    assert_eq!(closed["stream_id"], json!(ada));
    let of = |user: Uuid| format!("{SESSIONS}?user_id={user}");
    let hers = rows(&service, &of(ada), &closed).await;
    assert_eq!(hers.len(), 3);
    assert!(
        hers.iter().all(|row| row["status"] == "closed" && row["closed_reason"] == "lost"),
        "{hers:?}"
    );
    let his = rows(&service, &of(bob), &closed).await;
    assert_eq!((his.len(), &his[0]["status"]), (1, &json!("active")));
    let key = key_of(&service, ada).await;
    let bobs = format!("{USERS}/{bob}/close_sessions");
    let not_hers = service.ask(Method::POST, &bobs, &key, Some(json!({})), &[]).await;
    assert_eq!(not_hers.refused(403), "forbidden");
    within_five_seconds(&service, &text(&other, "token"), &of(bob), StatusCode::OK).await;
    assert_eq!(service.command(&close, json!({})).await.accepted()["events"], json!([]));
    let _ = service.command(&format!("{USERS}/{ada}/delete"), json!({})).await.accepted();
    live_is_rebuilt(&service);
}

#[tokio::test]
async fn members_act_for_their_organization_and_nobody_else_does() {
    let service = Service::start().await;
    let (ada, bob, eve) = (
        service.register("ada").await,
        service.register("bob").await,
        service.register("eve").await,
    );
    let fields = json!({"name": "Oakford", "owner_id": ada});
    let created = service.command(ORGANIZATIONS, fields).await.accepted();
    let organization = text(&created, "stream_id");
    let member = format!("{ORGANIZATIONS}/{organization}/add_member");
    let added = json!({"user_id": bob, "role": "viewer"});
    let added = service.command(&member, added).await.accepted();
    let _ = service.read_after(ORGANIZATIONS, &added["position"]).await.accepted();
    let (bobs, eves) = (key_of(&service, bob).await, key_of(&service, eve).await);
    let on_behalf = [("x-organization-id", organization.as_str())];
    let resources = "/v1/organizations/resources";
    let create = async |key: &str, name: &str, headers: &[(&str, &str)]| {
        let fields = json!({"org_id": organization, "name": name, "type": "server"});
        service.ask(Method::POST, resources, key, Some(fields), headers).await
    };
    // Who is no member is refused, whatever they ask; so is a name that is none.
    let itself = format!("{USERS}/{eve}");
    let asked = service.ask(Method::GET, &itself, &eves, None, &on_behalf).await;
    assert_eq!(asked.refused(403), "forbidden");
    let asked =
        service.ask(Method::GET, &itself, &eves, None, &[("x-organization-id", "Oakford")]).await;
    assert_eq!(asked.refused(400), "malformed");
    // A viewer reads; a member does more, within it only, and does not administer it.
    assert_eq!(create(&bobs, "r1", &on_behalf).await.refused(403), "forbidden");
    let change = format!("{ORGANIZATIONS}/{organization}/change_member_role");
    let fields = json!({"user_id": bob, "role": "member"});
    let _ = service.command(&change, fields).await.accepted();
    let mut made = create(&bobs, "r1", &on_behalf).await;
    for _ in 0..100 {
        if made.status.is_success() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        made = create(&bobs, "r1", &on_behalf).await;
    }
    let made = made.accepted();
    assert_eq!(create(&bobs, "r2", &[]).await.refused(403), "forbidden");
    let fields = json!({"user_id": eve, "role": "member"});
    let invited = service.ask(Method::POST, &member, &bobs, Some(fields), &on_behalf).await;
    assert_eq!(invited.refused(403), "forbidden");
    let events = format!("/v1/events?from_position={}&limit=1", made["position"]);
    let events = service.read_after(&events, &made["position"]).await.accepted();
    assert!(events.to_string().contains(&organization), "{events}");

    // A session can be for an organization from the start, for members.
    let sign_in = async |login: &str| {
        let fields = json!({"login": login, "password": PASSWORD, "org_id": organization});
        service.ask_openly(Method::POST, SESSIONS, Some(fields)).await
    };
    assert_eq!(sign_in("eve").await.refused(409), "not-a-member");
    let opened = sign_in("bob").await.accepted();
    let token = text(&opened, "token");
    within_five_seconds(&service, &token, &format!("{USERS}/{bob}"), StatusCode::OK).await;
    let _ = create(&token, "r3", &[]).await.accepted();
    let elsewhere = Uuid::from_u128(7).to_string();
    let asked = create(&token, "r4", &[("x-organization-id", elsewhere.as_str())]).await;
    assert_eq!(asked.refused(403), "forbidden");

    // Whoever is a member no more acts for it no more.
    let remove = format!("{ORGANIZATIONS}/{organization}/remove_member");
    let _ = service.command(&remove, json!({"user_id": bob})).await.accepted();
    within_five_seconds(&service, &token, &format!("{USERS}/{bob}"), StatusCode::FORBIDDEN).await;
    live_is_rebuilt(&service);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_session_of_who_is_suspended_is_not_extended() {
    let service = Service::start().await;
    for round in 0..4 {
        let ada = service.register(&format!("ada{round}")).await;
        let opened = sign_in(&service, &format!("ada{round}"), PASSWORD).await.accepted();
        let extend = format!("{SESSIONS}/{}/extend", text(&opened, "stream_id"));
        let suspend = format!("{USERS}/{ada}/suspend");
        // One comes first; what was extended was so while she was active.
        let until = daybook_app::world::now() + chrono::Duration::days(3);
        let fields = json!({"expires_at": until});
        let (extended, suspended) =
            futures::join!(service.command(&extend, fields), service.command(&suspend, json!({})));
        let suspended = suspended.accepted();
        match extended.status.as_u16() {
            200 => {
                let extended = extended.accepted();
                assert!(extended["position"].as_i64() < suspended["position"].as_i64());
            }
            _ => assert_eq!(extended.refused(409), "user-not-active"),
        }
        let later = json!({"expires_at": until + chrono::Duration::days(1)});
        assert_eq!(service.command(&extend, later.clone()).await.refused(409), "user-not-active");
        let _ = service.command(&format!("{USERS}/{ada}/reactivate"), json!({})).await.accepted();
        let _ = service.command(&extend, later).await.accepted();
    }
    live_is_rebuilt(&service);
}
