//! What can be asked of a ticket.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{Personal, Prose, Reason, Text, TicketPriority, WaitsFor};

/// Opens a ticket for a user who needs help.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// Who needs help; they must be active.
    pub user_id: Uuid,
    /// What it is, in a line.
    pub title: Personal<Text<200>>,
    /// What it is, in full.
    pub description: Personal<Prose<20_000>>,
    /// How much it matters; `medium` where absent.
    #[serde(default = "TicketPriority::usual")]
    pub priority: TicketPriority,
    /// What sort of thing it is about.
    #[serde(default)]
    pub category: Option<Text<50>>,
    /// The person who is to work on it; they must be active.
    #[serde(default)]
    pub assigned_to: Option<Uuid>,
    /// The group that is to work on it.
    #[serde(default)]
    pub assigned_group: Option<Text<100>>,
}

/// Says anew how much it matters and what sort of thing it is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Triage {
    /// How much it matters.
    pub priority: TicketPriority,
    /// What sort of thing it is about; of no sort where absent.
    #[serde(default)]
    pub category: Option<Text<50>>,
}

/// Says anew who works on it: a person, a group, both, or nobody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assign {
    /// The person; nobody where absent. They must be active.
    #[serde(default)]
    pub assigned_to: Option<Uuid>,
    /// The group; none where absent.
    #[serde(default)]
    pub assigned_group: Option<Text<100>>,
}

/// Begins to work on it, or goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Start {}

/// Lets it wait for somebody or something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Await {
    /// For whom or what.
    pub on: WaitsFor,
}

/// Puts it back among those that nobody works on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requeue {}

/// Takes a note: whoever writes it has touched the ticket. At any time, also when it is closed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// The note.
    pub text: Personal<Prose<20_000>>,
}

/// Says that it is solved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resolve {
    /// How.
    #[serde(default)]
    pub resolution: Option<Personal<Prose<20_000>>>,
}

/// Opens it again: from resolved at any time, from closed within 30 days.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reopen {
    /// Why.
    #[serde(default)]
    pub reason: Option<Personal<Reason>>,
}

/// Closes it, solved or not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Close {
    /// Why.
    #[serde(default)]
    pub reason: Option<Personal<Reason>>,
}

crate::commands! {
    /// What can be asked of a ticket.
    pub enum TicketCommand {
        "open" => Open,
        "triage" => Triage,
        "assign" => Assign,
        "start" => Start,
        "await" => Await,
        "requeue" => Requeue,
        "note" => Note,
        "resolve" => Resolve,
        "reopen" => Reopen,
        "close" => Close,
    }
}
