//! An organization is owned by somebody who is there, whoever is deleted, and whoever is faster.

use daybook_app::database::migrate;
use daybook_tests::Service;
use serde_json::{Value, json};

use crate::{
    MEMBERS, ORGANIZATIONS, Person, create, person, rebuilt_is_the_same, rows, send, stream,
};

const USERS: &str = "/v1/identity/users";

async fn delete_user(service: &Service, who: &Person) -> daybook_tests::Answer {
    service.command(&format!("{USERS}/{}/delete", who.id), json!({})).await
}

async fn make_owner(service: &Service, organization: &str, who: &Person) -> Value {
    let add = format!("{ORGANIZATIONS}/{organization}/add_member");
    let fields = json!({"user_id": who.id, "role": "owner"});
    service.command(&add, fields).await.accepted()
}

async fn remove(service: &Service, organization: &str, who: &Person) -> daybook_tests::Answer {
    let path = format!("{ORGANIZATIONS}/{organization}/remove_member");
    service.command(&path, json!({"user_id": who.id})).await
}

#[tokio::test]
async fn an_owner_is_deleted_once_they_own_nothing() {
    let service = Service::start().await;
    let ada = person(&service, "ada").await;
    let bob = person(&service, "bob").await;
    let (first, second) =
        (create(&service, &ada, "Oakford").await, create(&service, &ada, "Nexus").await);
    // Their own deletion is refused like anybody else's, dry or not, and names what they own.
    let path = format!("{USERS}/{}/delete", ada.id);
    for refused in [
        send(&service, &ada, &path, json!({})).await,
        send(&service, &ada, &format!("{path}?dry_run=true"), json!({})).await,
        delete_user(&service, &ada).await,
    ] {
        assert_eq!(refused.refused(409), "owns-organizations");
        let says = refused.body["detail"].as_str().expect("words").to_owned();
        assert!(says.contains(&first) && says.contains(&second), "{says}");
        assert!(says.contains("make another member the owner"), "{says}");
    }
    // Somebody else owns the one, the other is deleted.
    let _ = make_owner(&service, &first, &bob).await;
    let _ = remove(&service, &first, &ada).await.accepted();
    let says = delete_user(&service, &ada).await;
    assert_eq!(says.refused(409), "owns-organizations");
    assert!(!says.body["detail"].as_str().expect("words").contains(&first), "{says:?}");
    let address = format!("{ORGANIZATIONS}/{second}");
    let _ = service.command(&format!("{address}/delete"), json!({})).await.accepted();
    let _ = delete_user(&service, &ada).await.accepted();

    // What comes back has its owner.
    let restore = format!("{address}/restore");
    let refused = service.command(&restore, json!({})).await;
    assert_eq!(refused.refused(409), "owners-deleted");
    assert!(refused.body["detail"].as_str().is_some_and(|says| says.contains(&ada.id.to_string())));
    let _ = service.command(&format!("{USERS}/{}/restore", ada.id), json!({})).await.accepted();
    let _ = service.command(&restore, json!({})).await.accepted();
    assert_eq!(delete_user(&service, &ada).await.refused(409), "owns-organizations");

    // Who is suspended owns what they owned, and is still held; who steps down is not.
    let suspend = format!("{USERS}/{}/suspend", bob.id);
    let _ = service.command(&suspend, json!({})).await.accepted();
    assert_eq!(remove(&service, &first, &bob).await.refused(409), "last-owner");
    assert_eq!(delete_user(&service, &bob).await.refused(409), "owns-organizations");
    let _ = make_owner(&service, &first, &ada).await;
    let fields = json!({"user_id": bob.id, "role": "viewer"});
    let change = format!("{ORGANIZATIONS}/{first}/change_member_role");
    let _ = service.command(&change, fields).await.accepted();
    let _ = delete_user(&service, &bob).await.accepted();
    rebuilt_is_the_same(&service);
}

/// The owners of an organization who are not deleted.
async fn owners_there(service: &Service, organization: &str, position: &Value) -> usize {
    let mut there = 0;
    let list = format!("{MEMBERS}?org_id={organization}");
    for row in rows(service, &list, position).await {
        let user = format!("{USERS}/{}", row["user_id"].as_str().expect("an id"));
        let user = service.read_after(&user, position).await.accepted();
        there += usize::from(row["role"] == "owner" && user["deleted_at"].is_null());
    }
    there
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_faster_somebody_who_is_there_owns_it() {
    let service = Service::start().await;
    for round in 0..6 {
        let ada = person(&service, &format!("ada{round}")).await;
        let bob = person(&service, &format!("bob{round}")).await;
        let organization = create(&service, &ada, &format!("Race {round}")).await;
        // Two owners at once; one while the other is removed; one who is just becoming one.
        let _ = make_owner(&service, &organization, &bob).await;
        let (first, second) =
            futures::join!(delete_user(&service, &ada), delete_user(&service, &bob));
        for answer in [first, second] {
            assert_eq!(answer.refused(409), "owns-organizations");
        }
        let (removed, deleted, never) = futures::join!(
            remove(&service, &organization, &bob),
            delete_user(&service, &bob),
            delete_user(&service, &ada),
        );
        let removed = removed.accepted();
        assert!(deleted.status == 200 || deleted.refused(409) == "owns-organizations");
        assert_eq!(never.refused(409), "owns-organizations");
        assert_eq!(owners_there(&service, &organization, &removed["position"]).await, 1);

        let cyd = person(&service, &format!("cyd{round}")).await;
        let add = format!("{ORGANIZATIONS}/{organization}/add_member");
        let fields = json!({"user_id": cyd.id, "role": "owner"});
        let (made, deleted) =
            futures::join!(service.command(&add, fields), delete_user(&service, &cyd));
        match (made.status.as_u16(), deleted.status.as_u16()) {
            (200, 409) => assert_eq!(deleted.refused(409), "owns-organizations"),
            (409, 200) => assert!(
                ["member-not-active", "reference-closed"].contains(&made.refused(409)),
                "{made:?}"
            ),
            _ => panic!("both or neither: {made:?} {deleted:?}"),
        }

        let gone = stream(
            &service
                .command(&format!("{ORGANIZATIONS}/{organization}/delete"), json!({}))
                .await
                .accepted(),
        );
        let restore = format!("{ORGANIZATIONS}/{gone}/restore");
        let (restored, deleted) =
            futures::join!(service.command(&restore, json!({})), delete_user(&service, &ada));
        match (restored.status.as_u16(), deleted.status.as_u16()) {
            (200, 409) => assert_eq!(deleted.refused(409), "owns-organizations"),
            (409, 200) => assert!(
                ["owners-deleted", "reference-closed"].contains(&restored.refused(409)),
                "{restored:?}"
            ),
            _ => panic!("both or neither: {restored:?} {deleted:?}"),
        }
    }
    rebuilt_is_the_same(&service);
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_of_before_are_held_by_the_migration() {
    let service = Service::start().await;
    let ada = person(&service, "ada").await;
    let bob = person(&service, "bob").await;
    let one = create(&service, &ada, "One").await;
    let _ = make_owner(&service, &one, &bob).await;
    let two = create(&service, &bob, "Two").await;
    let _ = make_owner(&service, &two, &ada).await;
    let _ = remove(&service, &two, &bob).await.accepted();
    let fields = json!({"user_id": bob.id, "role": "admin"});
    let change = format!("{ORGANIZATIONS}/{one}/change_member_role");
    let _ = service.command(&change, fields).await.accepted();
    let gone = create(&service, &ada, "Gone").await;
    let delete = format!("{ORGANIZATIONS}/{gone}/delete");
    let _ = service.command(&delete, json!({})).await.accepted();
    let database = service.stop();

    let mut superuser = database.superuser().await;
    let mut held = async || -> Vec<(String, String)> {
        sqlx::query_as("SELECT target::text, holder::text FROM journal.holds ORDER BY 1, 2")
            .fetch_all(&mut superuser)
            .await
            .expect("holds")
    };
    let mut wanted = vec![(ada.id.to_string(), one), (ada.id.to_string(), two)];
    wanted.sort();
    assert_eq!(held().await, wanted);
    let admin = database.admin();
    let _ = migrate::down(&admin, 127, false).await.expect("down");
    assert_eq!(held().await, []);
    let _ = migrate::up(&admin, None).await.expect("up");
    assert_eq!(held().await, wanted);
}
