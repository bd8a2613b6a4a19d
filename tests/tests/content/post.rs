//! `content.post`, the whole way.

use daybook_tests::Service;
use reqwest::Method;
use serde_json::{Value, json};

use super::{COMMENTS, POSTS, act, draft, rows};

const TEXT: &str = "<p>How fine?</p>\n\n<p>\"Žádný\" dotaz\tje 'hloupý' &amp; nic.</p>\r\n";

#[tokio::test]
async fn is_written_published_taken_back_and_put_away() {
    let service = Service::start().await;
    let ada = service.register("ada").await;
    let post = draft(&service, ada, "How fine?", TEXT).await;
    let address = format!("{POSTS}/{post}");

    // When it was published in the world is said by who may import.
    let first = json!({ "occurred_at": "2015-01-27T20:09:32.720Z" });
    let published = act(&service, &post, "publish", first).await;
    assert_eq!(published["events"], json!(["content.post.published"]));
    let again = act(&service, &post, "publish", json!({})).await;
    assert_eq!((&again["events"], &again["version"]), (&json!([]), &json!(2)));

    let row = service.read_after(&address, &published["position"]).await.accepted();
    assert_eq!((&row["status"], &row["content"]), (&json!("published"), &json!(TEXT)));
    assert_eq!(row["published_at"], "2015-01-27T20:09:32.720000Z");
    assert_eq!(row["user_id"], json!(ada));

    let emptied = service.command(&format!("{address}/edit"), json!({ "content": " \n" })).await;
    assert_eq!(emptied.refused(409), "post-empty");
    let back = act(&service, &post, "unpublish", json!({})).await;
    let edited = json!({ "title": "How coarse?" });
    let _ = act(&service, &post, "edit", edited).await;
    let twice = act(&service, &post, "publish", json!({})).await;
    let row = service.read_after(&address, &twice["position"]).await.accepted();
    assert_eq!(row["published_at"], "2015-01-27T20:09:32.720000Z", "the first time is kept");
    assert_eq!(row["title"], "How coarse?");
    let then = format!("{address}?at_position={}", back["position"]);
    let then = service.read_after(&then, &twice["position"]).await.accepted();
    assert_eq!((&then["status"], &then["title"]), (&json!("draft"), &json!("How fine?")));

    let away = act(&service, &post, "archive", json!({})).await;
    let edit = service.command(&format!("{address}/edit"), json!({ "title": "X" })).await;
    assert_eq!(edit.refused(409), "post-archived");
    let path = format!("{POSTS}?status=archived&user_id={ada}");
    let page = service.read_after(&path, &away["position"]).await.accepted();
    assert_eq!(rows(&page).len(), 1, "{page}");

    let trail = format!("/v1/platform/audit_logs?entity_id={post}");
    let trail = service.read_after(&trail, &away["position"]).await.accepted();
    let trail = rows(&trail);
    assert_eq!(trail.len(), 6, "one row for each change: {trail:?}");
    let first = trail.iter().find(|row| row["position"] == published["position"]);
    let first = first.expect("its row");
    assert_eq!(first["old_values"]["status"], "draft", "{first}");
    assert_eq!(first["new_values"]["status"], "published", "{first}");
    service.same_when_rebuilt();
}

#[tokio::test]
async fn a_deletion_is_soft_and_undone() {
    let service = Service::start().await;
    let ada = service.register("ada").await;
    let post = draft(&service, ada, "Notes", "One").await;
    let address = format!("{POSTS}/{post}");
    let gone = act(&service, &post, "delete", json!({ "reason": "off topic" })).await;
    let row = service.read_after(&address, &gone["position"]).await.accepted();
    assert!(row["deleted_at"].is_string(), "{row}");
    assert_eq!((&row["deleted_reason"], &row["status"]), (&json!("off topic"), &json!("draft")));
    let publish = service.command(&format!("{address}/publish"), json!({})).await;
    assert_eq!(publish.refused(409), "post-deleted");
    let back = act(&service, &post, "restore", json!({})).await;
    let row = service.read_after(&address, &back["position"]).await.accepted();
    assert_eq!((&row["deleted_at"], &row["deleted_reason"]), (&Value::Null, &Value::Null));
    let _ = act(&service, &post, "publish", json!({})).await;
    let unknown = format!("{POSTS}/{}/publish", uuid::Uuid::now_v7());
    assert_eq!(service.command(&unknown, json!({})).await.refused(404), "post-not-found");
    service.same_when_rebuilt();
}

#[tokio::test]
async fn only_the_author_or_a_manager_touches_it() {
    let service = Service::start().await;
    let (ada, bob) = (service.register("ada").await, service.register("bob").await);
    let manager = service.register("clerk").await;
    let role = json!({ "role": "manager" });
    let path = format!("/v1/identity/users/{manager}/change_role");
    let _ = service.command(&path, role).await.accepted();
    let (adas, bobs) = (service.key_of(ada).await, service.key_of(bob).await);
    let managers = service.key_of(manager).await;
    let fields = json!({ "user_id": ada, "title": "Notes", "content": "One" });
    let ask = async |key: &str, path: &str, fields: &Value| {
        service.ask(Method::POST, path, key, Some(fields.clone()), &[]).await
    };
    assert_eq!(ask(&bobs, POSTS, &fields).await.refused(403), "forbidden");
    let drafted = ask(&adas, POSTS, &fields).await.accepted();
    let post = format!("{POSTS}/{}", drafted["stream_id"].as_str().expect("a stream"));
    let edit = format!("{post}/edit");
    assert_eq!(ask(&bobs, &edit, &json!({ "title": "Mine" })).await.refused(403), "forbidden");
    let _ = ask(&adas, &edit, &json!({ "title": "Hers" })).await.accepted();
    let done = ask(&managers, &edit, &json!({ "title": "Checked" })).await.accepted();

    let position = done["position"].to_string();
    let headers = [("prefer", "wait=10"), ("daybook-min-position", position.as_str())];
    let read =
        async |key: &str, path: &str| service.ask(Method::GET, path, key, None, &headers).await;
    assert_eq!(read(&adas, &post).await.accepted()["title"], "Checked");
    assert_eq!(read(&bobs, &post).await.refused(404), "not-found");
    assert_eq!(rows(&read(&bobs, POSTS).await.accepted()).len(), 0);
    assert_eq!(rows(&read(&managers, POSTS).await.accepted()).len(), 1);

    // What is published is there for everyone, for as long as it is; so is what is said to it.
    let said = json!({ "user_id": bob, "post_id": drafted["stream_id"], "content": "Yes" });
    for (name, seen) in [("publish", 1), ("unpublish", 0), ("publish", 1), ("delete", 0)] {
        let done = ask(&adas, &format!("{post}/{name}"), &json!({})).await.accepted();
        if done["version"] == 4 {
            let _ = ask(&bobs, COMMENTS, &said).await.accepted();
        }
        let _ = service.read_after(&post, &done["position"]).await.accepted();
        let page = read(&bobs, POSTS).await.accepted();
        assert_eq!(rows(&page).len(), seen, "after {name}: {page}");
    }

    // Nobody writes for someone who is not active.
    let path = format!("/v1/identity/users/{ada}/suspend");
    let _ = service.command(&path, json!({})).await.accepted();
    assert_eq!(service.command(POSTS, fields).await.refused(409), "author-not-active");
}
