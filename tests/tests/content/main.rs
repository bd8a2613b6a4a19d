//! Posts and comments the whole way: command, log, rows, audit trail, past, rebuild.
#![allow(clippy::disallowed_methods, reason = "tests are at the edge: they make ids")]

mod comment;
mod post;

use daybook_tests::Service;
use serde_json::{Value, json};
use uuid::Uuid;

const POSTS: &str = "/v1/content/posts";
const COMMENTS: &str = "/v1/content/comments";

/// Drafts a post of the user's; gives its id.
async fn draft(service: &Service, author: Uuid, title: &str, content: &str) -> String {
    let fields = json!({ "user_id": author, "title": title, "content": content });
    let drafted = service.command(POSTS, fields).await.accepted();
    drafted["stream_id"].as_str().expect("a stream").to_owned()
}

/// Does something to a post as the administrator.
async fn act(service: &Service, post: &str, name: &str, fields: Value) -> Value {
    service.command(&format!("{POSTS}/{post}/{name}"), fields).await.accepted()
}

/// The rows of a list.
fn rows(page: &Value) -> Vec<&Value> {
    page["data"].as_array().expect("rows").iter().collect()
}
