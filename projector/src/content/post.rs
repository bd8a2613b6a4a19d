//! `posts`: a deleted one stays, with when it was deleted.

use chrono::{DateTime, Utc};
use daybook_domain::content::post::PostEvent;
use daybook_domain::values::PostStatus;
use daybook_store::Recorded;
use uuid::Uuid;

use crate::catalog::{Rows, Touched};
use crate::rows::Fault;

crate::table! {
    /// A row of `posts`.
    pub struct PostRow in "posts", key (id: Uuid), entity id;
    id: Uuid,
    user_id: Uuid,
    title: String,
    content: String,
    status: String,
    published_at: Option<DateTime<Utc>>,
    deleted_at: Option<DateTime<Utc>>,
    deleted_reason: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: Uuid,
    updated_by: Uuid,
}

/// The rows of an event.
pub fn touches(event: &PostEvent, recorded: &Recorded, touched: &mut Touched) {
    let post = (recorded.stream_id,);
    match event {
        PostEvent::Drafted(_) => touched.posts.makes(post),
        PostEvent::Edited(_)
        | PostEvent::Published(_)
        | PostEvent::Unpublished(_)
        | PostEvent::Archived(_)
        | PostEvent::Deleted(_)
        | PostEvent::Restored(_) => touched.posts.needs(post),
    }
}

/// What an event makes of the rows.
///
/// # Errors
/// When the rows are not as the events before left them.
pub fn project(event: &PostEvent, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let actor = recorded.metadata.actor_id;
    let happened_at = recorded.happened_at();
    match event {
        PostEvent::Drafted(event) => rows.posts.insert(PostRow {
            id: recorded.stream_id,
            user_id: event.user_id,
            title: event.title.as_str().to_owned(),
            content: event.content.as_str().to_owned(),
            status: PostStatus::Draft.to_string(),
            published_at: None,
            deleted_at: None,
            deleted_reason: None,
            created_at: recorded.recorded_at,
            updated_at: recorded.recorded_at,
            created_by: actor,
            updated_by: actor,
        }),
        PostEvent::Edited(event) => change(recorded, rows, |post| {
            post.title = event.title.as_str().to_owned();
            post.content = event.content.as_str().to_owned();
        }),
        PostEvent::Published(_) => change(recorded, rows, |post| {
            post.status = PostStatus::Published.to_string();
            // The first time is kept.
            post.published_at.get_or_insert(happened_at);
        }),
        PostEvent::Unpublished(_) => {
            change(recorded, rows, |post| post.status = PostStatus::Draft.to_string())
        }
        PostEvent::Archived(_) => {
            change(recorded, rows, |post| post.status = PostStatus::Archived.to_string())
        }
        PostEvent::Deleted(event) => change(recorded, rows, |post| {
            post.deleted_at = Some(happened_at);
            post.deleted_reason = event.reason.as_ref().map(|reason| reason.as_str().to_owned());
        }),
        PostEvent::Restored(_) => change(recorded, rows, |post| {
            post.deleted_at = None;
            post.deleted_reason = None;
        }),
    }
}

fn change(
    recorded: &Recorded,
    rows: &mut Rows,
    change: impl FnOnce(&mut PostRow),
) -> Result<(), Fault> {
    rows.posts.update(&(recorded.stream_id,), |post| {
        change(post);
        post.updated_at = recorded.recorded_at;
        post.updated_by = recorded.metadata.actor_id;
    })
}
