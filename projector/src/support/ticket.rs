//! `support_tickets`. A note's text is in the log only: the row says that and when one was taken.

use chrono::{DateTime, Utc};
use daybook_domain::support::ticket::TicketEvent;
use daybook_domain::support::ticket::events::{Assigned, Opened};
use daybook_domain::values::TicketStatus;
use daybook_store::Recorded;
use uuid::Uuid;

use crate::catalog::{Rows, Touched};
use crate::rows::Fault;

crate::table! {
    /// A row of `support_tickets`.
    pub struct SupportTicketRow in "support_tickets", key (id: Uuid), entity id;
    id: Uuid,
    user_id: Uuid,
    title: String,
    description: String,
    priority: String,
    status: String,
    category: Option<String>,
    assigned_to: Option<Uuid>,
    assigned_group: Option<String>,
    reassignment_count: i32,
    reopen_count: i32,
    note_count: i32,
    noted_at: Option<DateTime<Utc>>,
    resolution: Option<String>,
    opened_at: DateTime<Utc>,
    resolved_at: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: Uuid,
    updated_by: Uuid,
}

/// The rows of an event.
pub fn touches(event: &TicketEvent, recorded: &Recorded, touched: &mut Touched) {
    let ticket = (recorded.stream_id,);
    match event {
        TicketEvent::Opened(_) => touched.support_tickets.makes(ticket),
        TicketEvent::Triaged(_)
        | TicketEvent::Assigned(_)
        | TicketEvent::Started(_)
        | TicketEvent::Awaited(_)
        | TicketEvent::Requeued(_)
        | TicketEvent::Noted(_)
        | TicketEvent::Resolved(_)
        | TicketEvent::Reopened(_)
        | TicketEvent::Closed(_) => touched.support_tickets.needs(ticket),
    }
}

/// What an event makes of the rows.
///
/// # Errors
/// When the rows are not as the events before left them.
pub fn project(event: &TicketEvent, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let happened_at = recorded.happened_at();
    match event {
        TicketEvent::Opened(event) => opened(event, recorded, rows),
        TicketEvent::Triaged(event) => change(recorded, rows, |ticket| {
            ticket.priority = event.priority.to_string();
            ticket.category = event.category.as_ref().map(|text| text.as_str().to_owned());
        }),
        TicketEvent::Assigned(event) => change(recorded, rows, |ticket| assigned(ticket, event)),
        TicketEvent::Started(_) => stands(TicketStatus::InProgress, recorded, rows),
        TicketEvent::Awaited(event) => stands(event.on.status(), recorded, rows),
        TicketEvent::Requeued(_) => stands(TicketStatus::Open, recorded, rows),
        TicketEvent::Noted(_) => change(recorded, rows, |ticket| {
            ticket.note_count += 1;
            ticket.noted_at = Some(happened_at);
        }),
        TicketEvent::Resolved(event) => change(recorded, rows, |ticket| {
            ticket.status = TicketStatus::Resolved.to_string();
            ticket.resolution = event.resolution.as_ref().map(|text| text.as_str().to_owned());
            ticket.resolved_at = Some(happened_at);
        }),
        TicketEvent::Reopened(_) => change(recorded, rows, |ticket| {
            ticket.status = TicketStatus::Open.to_string();
            ticket.reopen_count += 1;
            ticket.resolution = None;
            ticket.resolved_at = None;
            ticket.closed_at = None;
        }),
        TicketEvent::Closed(event) => change(recorded, rows, |ticket| {
            ticket.status = TicketStatus::Closed.to_string();
            ticket.closed_at = Some(event.closed_at);
        }),
    }
}

fn opened(event: &Opened, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let actor = recorded.metadata.actor_id;
    rows.support_tickets.insert(SupportTicketRow {
        id: recorded.stream_id,
        user_id: event.user_id,
        title: event.title.as_str().to_owned(),
        description: event.description.as_str().to_owned(),
        priority: event.priority.to_string(),
        status: TicketStatus::Open.to_string(),
        category: event.category.as_ref().map(|text| text.as_str().to_owned()),
        assigned_to: event.assigned_to,
        assigned_group: event.assigned_group.as_ref().map(|text| text.as_str().to_owned()),
        reassignment_count: 0,
        reopen_count: 0,
        note_count: 0,
        noted_at: None,
        resolution: None,
        opened_at: recorded.happened_at(),
        resolved_at: None,
        closed_at: None,
        created_at: recorded.recorded_at,
        updated_at: recorded.recorded_at,
        created_by: actor,
        updated_by: actor,
    })
}

/// It counts as a reassignment where the group is another one than before, or none.
fn assigned(ticket: &mut SupportTicketRow, event: &Assigned) {
    let group = event.assigned_group.as_ref().map(|text| text.as_str().to_owned());
    if group != ticket.assigned_group {
        ticket.reassignment_count += 1;
        ticket.assigned_group = group;
    }
    ticket.assigned_to = event.assigned_to;
}

fn stands(status: TicketStatus, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    change(recorded, rows, |ticket| ticket.status = status.to_string())
}

fn change(
    recorded: &Recorded,
    rows: &mut Rows,
    change: impl FnOnce(&mut SupportTicketRow),
) -> Result<(), Fault> {
    rows.support_tickets.update(&(recorded.stream_id,), |ticket| {
        change(ticket);
        ticket.updated_at = recorded.recorded_at;
        ticket.updated_by = recorded.metadata.actor_id;
    })
}
