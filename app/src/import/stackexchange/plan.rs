//! From questions and answers to commands.

use std::collections::HashSet;

use daybook_command::batch::Line;
use serde_json::json;
use uuid::Uuid;

use super::read::{Entry, Site};
use crate::import::plan::{Planned, command};

/// The namespace of everything that comes from this data set.
const COFFEE: Uuid = Uuid::from_u128(0x6d0f_5a3e_9b1c_5c47_8f2d_3e90_a4b7_c815);

/// The id of something of the site's: the same in every run.
#[must_use]
pub fn id(kind: &str, number: &str) -> Uuid {
    Uuid::new_v5(&COFFEE, format!("{kind}/{number}").as_bytes())
}

/// The post or comment that an entry becomes.
#[must_use]
pub fn stream(entry: &Entry) -> Uuid {
    let kind = if entry.answers.is_some() { "comment" } else { "post" };
    id(kind, &entry.id.to_string())
}

/// All commands, in the file's order; each owner is registered just before what they wrote first.
pub fn commands(site: &Site) -> impl Iterator<Item = Planned> {
    let mut known = HashSet::new();
    site.entries.iter().flat_map(move |entry| {
        let mut planned = Vec::with_capacity(3);
        if known.insert(&entry.owner) {
            planned.push(register(entry));
        }
        match entry.answers {
            None => planned.extend([draft(entry), publish(entry)]),
            Some(question) => planned.push(write(entry, question)),
        }
        planned.into_iter().map(|line| Planned { source: entry.line, line })
    })
}

/// The file names its users by number only; the rest is derived plainly from it.
fn register(entry: &Entry) -> Line {
    let owner = &entry.owner;
    command(
        "identity.user.register",
        id("register", owner),
        id("user", owner),
        entry.created_at,
        json!({
            "username": format!("coffee-{owner}"),
            "email": format!("coffee-{owner}@stackexchange.example"),
            "full_name": format!("Coffee User {owner}"),
            // No password fits this: they cannot sign in until they set one.
            "password_hash": "!",
        }),
    )
}

fn draft(entry: &Entry) -> Line {
    command(
        "content.post.draft",
        id("draft", &entry.id.to_string()),
        stream(entry),
        entry.created_at,
        json!({
            "user_id": id("user", &entry.owner),
            "title": entry.title,
            "content": entry.body,
        }),
    )
}

fn publish(entry: &Entry) -> Line {
    let id = id("publish", &entry.id.to_string());
    command("content.post.publish", id, stream(entry), entry.created_at, json!({}))
}

fn write(entry: &Entry, question: u64) -> Line {
    command(
        "content.comment.write",
        id("write", &entry.id.to_string()),
        stream(entry),
        entry.created_at,
        json!({
            "post_id": id("post", &question.to_string()),
            "user_id": id("user", &entry.owner),
            "content": entry.body,
        }),
    )
}
