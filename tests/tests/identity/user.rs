//! `identity.user`, the whole way.

use daybook_tests::Service;
use serde_json::json;

use super::USERS;

#[tokio::test]
async fn an_email_is_taken_once_whatever_its_case() {
    let service = Service::start().await;
    let _ = service.register("ada").await;
    let again = json!({
        "username": "lovelace", "email": "ADA@Example.org", "full_name": "Ada Lovelace",
        "password": "correct horse battery",
    });
    let refused = service.command(USERS, again).await;
    assert_eq!(refused.refused(409), "taken");
    assert_eq!(refused.body["scope"], "user.email");
}

#[tokio::test]
async fn what_users_say_of_themselves_is_a_row_of_its_own() {
    let service = Service::start().await;
    let ada = service.register("ada").await;
    let describe = format!("{USERS}/{ada}/describe");
    let profile = format!("/v1/identity/user_profiles/{ada}");
    let said = service.command(&describe, json!({"bio": "Notes\non the engine"})).await.accepted();
    let row = service.read_after(&profile, &said["position"]).await.accepted();
    assert_eq!((&row["bio"], &row["user_id"]), (&json!("Notes\non the engine"), &json!(ada)));
    let picture = json!({"avatar_url": "https://example.org/ada.png", "bio": null});
    let said = service.command(&describe, picture.clone()).await.accepted();
    let row = service.read_after(&profile, &said["position"]).await.accepted();
    assert_eq!((&row["bio"], &row["avatar_url"]), (&json!(null), &picture["avatar_url"]));
    assert_eq!(service.command(&describe, picture).await.accepted()["events"], json!([]));
    let wrong = service.command(&describe, json!({"avatar_url": "javascript:alert(1)"})).await;
    assert!(wrong.status.is_client_error(), "{wrong:?}");
    super::live_is_rebuilt(&service);
}

#[tokio::test]
async fn what_is_secret_is_nowhere_to_be_read() {
    let service = Service::start().await;
    let ada = service.register("ada").await;
    let changed = service
        .command(&format!("{USERS}/{ada}/change_profile"), json!({"full_name": "Ada King"}))
        .await
        .accepted();
    let row = service.read_after(&format!("{USERS}/{ada}"), &changed["position"]).await.accepted();
    assert_eq!(row["full_name"], "Ada King");

    for path in [
        format!("{USERS}/{ada}"),
        format!("/v1/platform/audit_logs?entity_id={ada}"),
        format!("/v1/streams/{ada}/events"),
    ] {
        let text = service.read_after(&path, &changed["position"]).await.accepted().to_string();
        assert!(text.contains(&ada.to_string()), "{path}: {text}");
        assert!(!text.contains("$argon2id$") && !text.contains("correct horse"), "{path}: {text}");
    }
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let service = Service::start().await;
    let users = service.read_after(USERS, &json!(1)).await.accepted();
    let admins: Vec<_> = users["data"]
        .as_array()
        .expect("rows")
        .iter()
        .filter(|user| user["role"] == "admin")
        .filter_map(|user| Some((user["id"].as_str()?, user["username"].as_str()?)))
        .filter(|(_, name)| !["system", "importer", "scheduler"].contains(name))
        .collect();
    assert_eq!(admins.len(), 1, "{users}");
    let suspend = format!("{USERS}/{}/suspend", admins[0].0);
    let refused = service.command(&suspend, json!({})).await;
    assert_eq!(refused.refused(409), "last-administrator");
}
