//! What can have happened to a ticket.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{Personal, Prose, Reason, Text, TicketPriority, WaitsFor};

/// A ticket began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Opened {
    /// Who needs help.
    pub user_id: Uuid,
    /// What it is, in a line.
    pub title: Personal<Text<200>>,
    /// What it is, in full.
    pub description: Personal<Prose<20_000>>,
    /// How much it matters.
    pub priority: TicketPriority,
    /// What sort of thing it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Text<50>>,
    /// The person who is to work on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned_to: Option<Uuid>,
    /// The group that is to work on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned_group: Option<Text<100>>,
}

/// It matters so much now, and is about this sort of thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Triaged {
    /// How much it matters.
    pub priority: TicketPriority,
    /// What sort of thing it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Text<50>>,
}

/// Others work on it now, or nobody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Assigned {
    /// The person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned_to: Option<Uuid>,
    /// The group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned_group: Option<Text<100>>,
}

/// Someone works on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Started {}

/// It waits for somebody or something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Awaited {
    /// For whom or what.
    pub on: WaitsFor,
}

/// It went back among those that nobody works on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Requeued {}

/// A note was taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Noted {
    /// The note.
    pub text: Personal<Prose<20_000>>,
}

/// It was solved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Resolved {
    /// How.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Personal<Prose<20_000>>>,
}

/// It was opened again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reopened {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Reason>>,
}

/// It was closed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Closed {
    /// When: from then on it is counted for how long it may be opened again.
    pub closed_at: DateTime<Utc>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Reason>>,
}

crate::events! {
    /// What can have happened to a ticket.
    pub enum TicketEvent {
        "support.ticket.opened" @ 1 => Opened,
        "support.ticket.triaged" @ 1 => Triaged,
        "support.ticket.assigned" @ 1 => Assigned,
        "support.ticket.started" @ 1 => Started,
        "support.ticket.awaited" @ 1 => Awaited,
        "support.ticket.requeued" @ 1 => Requeued,
        "support.ticket.noted" @ 1 => Noted,
        "support.ticket.resolved" @ 1 => Resolved,
        "support.ticket.reopened" @ 1 => Reopened,
        "support.ticket.closed" @ 1 => Closed,
    }
}
