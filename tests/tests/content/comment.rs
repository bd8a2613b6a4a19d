//! `content.comment`, the whole way.

use daybook_tests::Service;
use serde_json::{Value, json};

use super::{COMMENTS, POSTS, act, draft, rows};

#[tokio::test]
async fn is_said_to_what_is_published_and_to_nothing_else() {
    let service = Service::start().await;
    let (ada, bob) = (service.register("ada").await, service.register("bob").await);
    let post = draft(&service, ada, "Notes", "One").await;
    let said = |content: &str| json!({ "post_id": post, "user_id": bob, "content": content });
    let refused = async |code: &str| {
        assert_eq!(service.command(COMMENTS, said("No")).await.refused(409), code);
    };
    refused("post-not-published").await;
    let _ = act(&service, &post, "publish", json!({})).await;
    let mut fields = said("<p>Yes</p>\n");
    fields["occurred_at"] = "2015-01-28T10:00:00Z".into();
    let written = service.command(COMMENTS, fields).await.accepted();
    let comment = written["stream_id"].as_str().expect("a stream").to_owned();
    let address = format!("{COMMENTS}/{comment}");

    for (end, back, code) in [
        ("unpublish", "publish", "post-not-published"),
        ("archive", "publish", "post-not-published"),
        ("delete", "restore", "post-deleted"),
    ] {
        let _ = act(&service, &post, end, json!({})).await;
        refused(code).await;
        let edit = service.command(&format!("{address}/edit"), json!({ "content": "X" })).await;
        assert_eq!(edit.refused(409), code);
        let _ = act(&service, &post, back, json!({})).await;
    }
    let edit = json!({ "content": "<p>Yes!</p>\n" });
    let edited = service.command(&format!("{address}/edit"), edit).await.accepted();
    let row = service.read_after(&address, &edited["position"]).await.accepted();
    assert_eq!((&row["content"], &row["post_id"]), (&json!("<p>Yes!</p>\n"), &json!(post)));
    assert_eq!(row["written_at"], "2015-01-28T10:00:00.000000Z");
    let then = format!("{address}?at_position={}", written["position"]);
    let then = service.read_after(&then, &edited["position"]).await.accepted();
    assert_eq!(then["content"], "<p>Yes</p>\n");

    let nowhere = json!({ "post_id": bob, "user_id": bob, "content": "X" });
    let nowhere = service.command(COMMENTS, nowhere).await;
    assert_eq!(nowhere.status.as_u16(), 422, "{nowhere:?}");
    let unknown = uuid::Uuid::now_v7();
    let nowhere = json!({ "post_id": unknown, "user_id": bob, "content": "X" });
    assert_eq!(service.command(COMMENTS, nowhere).await.refused(409), "post-unknown");
    service.same_when_rebuilt();
}

#[tokio::test]
async fn goes_and_comes_back_apart_from_its_post() {
    let service = Service::start().await;
    let ada = service.register("ada").await;
    let post = draft(&service, ada, "Notes", "One").await;
    let _ = act(&service, &post, "publish", json!({})).await;
    let mut comments = Vec::new();
    for n in 0..3 {
        let fields = json!({ "post_id": post, "user_id": ada, "content": format!("{n}") });
        let written = service.command(COMMENTS, fields).await.accepted();
        comments.push(written["stream_id"].as_str().expect("a stream").to_owned());
    }
    let comment = async |n: usize, name: &str, fields: Value| {
        service.command(&format!("{COMMENTS}/{}/{name}", comments[n]), fields).await
    };
    let gone = act(&service, &post, "delete", json!({})).await;
    // The post's row and what was said to it stay.
    let list = format!("{COMMENTS}?post_id={post}");
    let page = service.read_after(&list, &gone["position"]).await.accepted();
    assert_eq!(rows(&page).len(), 3, "{page}");
    let _ = comment(0, "delete", json!({ "reason": "rude" })).await.accepted();
    assert_eq!(comment(0, "restore", json!({})).await.refused(409), "post-deleted");
    assert_eq!(comment(0, "edit", json!({ "content": "X" })).await.refused(409), "comment-deleted");
    let _ = act(&service, &post, "restore", json!({})).await;
    let back = comment(0, "restore", json!({})).await.accepted();
    let last = comment(1, "delete", json!({})).await.accepted();
    assert!(back["position"].as_i64() < last["position"].as_i64());
    let page = service.read_after(&list, &last["position"]).await.accepted();
    let deleted: Vec<bool> = rows(&page).iter().map(|row| row["deleted_at"].is_string()).collect();
    assert_eq!(deleted, [false, true, false], "in the order in which they were written: {page}");
    let row = service.read_after(&format!("{POSTS}/{post}"), &last["position"]).await.accepted();
    assert_eq!(row["status"], "published");
    service.same_when_rebuilt();
}
