//! `comments`: a deleted one stays, with when it was deleted. `written_at` is when it was said in the
//! world, `created_at` when the log took it.

use chrono::{DateTime, Utc};
use daybook_domain::content::comment::CommentEvent;
use daybook_store::Recorded;
use uuid::Uuid;

use crate::catalog::{Rows, Touched};
use crate::rows::Fault;

crate::table! {
    /// A row of `comments`.
    pub struct CommentRow in "comments", key (id: Uuid), entity id;
    id: Uuid,
    post_id: Uuid,
    user_id: Uuid,
    content: String,
    written_at: DateTime<Utc>,
    deleted_at: Option<DateTime<Utc>>,
    deleted_reason: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: Uuid,
    updated_by: Uuid,
}

/// The rows of an event.
pub fn touches(event: &CommentEvent, recorded: &Recorded, touched: &mut Touched) {
    let comment = (recorded.stream_id,);
    match event {
        CommentEvent::Written(_) => touched.comments.makes(comment),
        CommentEvent::Edited(_) | CommentEvent::Deleted(_) | CommentEvent::Restored(_) => {
            touched.comments.needs(comment);
        }
    }
}

/// What an event makes of the rows.
///
/// # Errors
/// When the rows are not as the events before left them.
pub fn project(event: &CommentEvent, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let actor = recorded.metadata.actor_id;
    let happened_at = recorded.happened_at();
    match event {
        CommentEvent::Written(event) => rows.comments.insert(CommentRow {
            id: recorded.stream_id,
            post_id: event.post_id,
            user_id: event.user_id,
            content: event.content.as_str().to_owned(),
            written_at: happened_at,
            deleted_at: None,
            deleted_reason: None,
            created_at: recorded.recorded_at,
            updated_at: recorded.recorded_at,
            created_by: actor,
            updated_by: actor,
        }),
        CommentEvent::Edited(event) => change(recorded, rows, |comment| {
            comment.content = event.content.as_str().to_owned();
        }),
        CommentEvent::Deleted(event) => change(recorded, rows, |comment| {
            comment.deleted_at = Some(happened_at);
            comment.deleted_reason = event.reason.as_ref().map(|reason| reason.as_str().to_owned());
        }),
        CommentEvent::Restored(_) => change(recorded, rows, |comment| {
            comment.deleted_at = None;
            comment.deleted_reason = None;
        }),
    }
}

fn change(
    recorded: &Recorded,
    rows: &mut Rows,
    change: impl FnOnce(&mut CommentRow),
) -> Result<(), Fault> {
    rows.comments.update(&(recorded.stream_id,), |comment| {
        change(comment);
        comment.updated_at = recorded.recorded_at;
        comment.updated_by = recorded.metadata.actor_id;
    })
}
