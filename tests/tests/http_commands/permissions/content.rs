//! Who may send what in `content`.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Belongings, Made, Part, made};

pub(super) const PART: Part = Part {
    context: "content",
    may: &[
        ("content.post.draft", "amu", "am"),
        ("content.post.edit", "amu", "am"),
        ("content.post.publish", "amu", "am"),
        ("content.post.unpublish", "amu", "am"),
        ("content.post.archive", "amu", "am"),
        ("content.post.delete", "amu", "am"),
        ("content.post.restore", "amu", "am"),
        ("content.comment.write", "amu", "am"),
        ("content.comment.edit", "amu", "am"),
        ("content.comment.delete", "amu", "am"),
        ("content.comment.restore", "amu", "am"),
    ],
    fields,
    target: |kind, owner| made(kind, owner.person.id).to_string(),
};

/// A published post of theirs, and what they said to it.
pub(super) fn makes(person: Uuid) -> Vec<Made> {
    vec![
        ("content.post", "draft", post(person)),
        ("content.post", "publish", json!({})),
        ("content.comment", "write", comment(person, person)),
    ]
}

fn post(author: Uuid) -> Value {
    json!({ "user_id": author, "title": "Notes", "content": "One" })
}

fn comment(author: Uuid, whose_post: Uuid) -> Value {
    json!({ "user_id": author, "post_id": made("content.post", whose_post), "content": "Yes" })
}

fn fields(command: &str, owner: &Belongings, other: &Belongings) -> Value {
    match command {
        "content.post.draft" => post(owner.person.id),
        "content.post.edit" => json!({ "title": "More" }),
        // To somebody else's post: that it is published is enough.
        "content.comment.write" => comment(owner.person.id, other.person.id),
        "content.comment.edit" => json!({ "content": "No" }),
        _ => json!({}),
    }
}
