//! `notifications`. A dismissed one keeps its row.

use chrono::{DateTime, Utc};
use daybook_domain::platform::notification::NotificationEvent;
use daybook_store::Recorded;
use uuid::Uuid;

use crate::catalog::{Rows, Touched};
use crate::rows::Fault;

crate::table! {
    /// A row of `notifications`.
    pub struct NotificationRow in "notifications", key (id: Uuid), entity id;
    id: Uuid,
    user_id: Uuid,
    title: String,
    message: Option<String>,
    kind: String,
    link: Option<String>,
    read_at: Option<DateTime<Utc>>,
    dismissed_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: Uuid,
    updated_by: Uuid,
}

/// The rows of an event.
pub fn touches(event: &NotificationEvent, recorded: &Recorded, touched: &mut Touched) {
    let notification = (recorded.stream_id,);
    match event {
        NotificationEvent::Notified(_) => touched.notifications.makes(notification),
        NotificationEvent::MarkedRead(_) | NotificationEvent::Dismissed(_) => {
            touched.notifications.needs(notification);
        }
    }
}

/// What an event makes of the rows.
///
/// # Errors
/// When the rows are not as the events before left them.
pub fn project(
    event: &NotificationEvent,
    recorded: &Recorded,
    rows: &mut Rows,
) -> Result<(), Fault> {
    let happened_at = recorded.happened_at();
    let actor = recorded.metadata.actor_id;
    match event {
        NotificationEvent::Notified(event) => rows.notifications.insert(NotificationRow {
            id: recorded.stream_id,
            user_id: event.user_id,
            title: event.title.as_str().to_owned(),
            message: event.message.as_ref().map(|message| message.as_str().to_owned()),
            kind: event.kind.to_string(),
            link: event.link.as_ref().map(|link| link.as_str().to_owned()),
            read_at: None,
            dismissed_at: None,
            created_at: recorded.recorded_at,
            updated_at: recorded.recorded_at,
            created_by: actor,
            updated_by: actor,
        }),
        NotificationEvent::MarkedRead(_) => change(recorded, rows, |notification| {
            notification.read_at = Some(happened_at);
        }),
        NotificationEvent::Dismissed(_) => change(recorded, rows, |notification| {
            notification.dismissed_at = Some(happened_at);
        }),
    }
}

fn change(
    recorded: &Recorded,
    rows: &mut Rows,
    change: impl FnOnce(&mut NotificationRow),
) -> Result<(), Fault> {
    rows.notifications.update(&(recorded.stream_id,), |notification| {
        change(notification);
        notification.updated_at = recorded.recorded_at;
        notification.updated_by = recorded.metadata.actor_id;
    })
}
