//! From the history of incidents to commands of tickets.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use daybook_command::batch::Line;
use daybook_domain::values::TicketStatus;
use serde_json::{Value, json};
use uuid::Uuid;

use super::read::{Change, Incident, Incidents};
use crate::import::plan::{Planned, command};

/// The namespace of everything that comes from this data set.
const INCIDENTS: Uuid = Uuid::from_u128(0x7c0d_4b57_9d0e_5f6a_8a31_52f4_0d2c_61ab);

/// The id of something of the source's: the same in every run.
#[must_use]
pub fn id(kind: &str, name: &str) -> Uuid {
    Uuid::new_v5(&INCIDENTS, format!("{kind}/{name}").as_bytes())
}

/// All commands, in the file's order; people are registered just before they are first named.
#[must_use]
pub fn commands(incidents: &Incidents) -> Vec<Planned> {
    let since = first_named(incidents);
    let mut registered = HashSet::new();
    let mut planned = Vec::new();
    for incident in &incidents.incidents {
        let mut before: Option<&Change> = None;
        for (index, change) in incident.changes.iter().enumerate() {
            let caller = before.is_none().then_some(&incident.caller);
            for name in caller.into_iter().chain(&change.person) {
                if registered.insert(name.clone()) {
                    let line = register(name, since[name]);
                    planned.push(Planned { source: change.line, line });
                }
            }
            let asked = match before {
                None => first(incident, change),
                Some(before) => next(incident, before, change),
            };
            planned.extend(
                asked
                    .into_iter()
                    .map(|asked| Planned { source: change.line, line: asked.of(incident, index) }),
            );
            before = Some(change);
        }
    }
    planned
}

/// When each person is first named, in the world's time.
fn first_named(incidents: &Incidents) -> BTreeMap<String, DateTime<Utc>> {
    let mut since: BTreeMap<String, DateTime<Utc>> = BTreeMap::new();
    for incident in &incidents.incidents {
        let opened = opened_at(incident);
        let workers = incident.changes.iter().enumerate().filter_map(|(index, change)| {
            Some((change.person.as_ref()?, if index == 0 { opened } else { change.updated_at }))
        });
        for (name, at) in workers.chain([(&incident.caller, opened)]) {
            let first = since.entry(name.clone()).or_insert(at);
            *first = at.min(*first);
        }
    }
    since
}

/// When the incident was opened, which is never after its first change.
#[must_use]
pub fn opened_at(incident: &Incident) -> DateTime<Utc> {
    incident.changes.iter().map(|change| change.updated_at).fold(incident.opened_at, DateTime::min)
}

/// A command of a ticket, before it has its ids.
struct Asked {
    name: &'static str,
    at: DateTime<Utc>,
    data: Value,
}

impl Asked {
    fn of(self, incident: &Incident, index: usize) -> Line {
        let name = format!("{}/{index}/{}", incident.number, self.name);
        command(
            &format!("support.ticket.{}", self.name),
            id("command", &name),
            id("incident", &incident.number),
            self.at,
            self.data,
        )
    }
}

/// Opens the ticket, and brings it to where the file begins to tell.
fn first(incident: &Incident, change: &Change) -> Vec<Asked> {
    let title = [Some(incident.number.as_str()), change.category.as_deref()];
    let open = Asked {
        name: "open",
        at: opened_at(incident),
        data: json!({
            "user_id": id("person", &incident.caller),
            "title": title.into_iter().flatten().collect::<Vec<_>>().join(": "),
            "description": incident.about.join("\n"),
            "priority": change.priority,
            "category": change.category,
            "assigned_to": change.person.as_ref().map(|name| id("person", name)),
            "assigned_group": change.group,
        }),
    };
    let brought = (change.status != TicketStatus::Open).then(|| stand(incident, change));
    std::iter::once(open).chain(brought).collect()
}

/// What leads from one row of an incident to the next: at least a note that someone touched it.
fn next(incident: &Incident, before: &Change, change: &Change) -> Vec<Asked> {
    let at = change.updated_at;
    let mut asked = Vec::new();
    let reopened = match (before.status, change.status) {
        (TicketStatus::Closed, TicketStatus::Resolved) => true,
        (before, now) => !before.is_open() && now.is_open(),
    };
    if reopened {
        asked.push(Asked { name: "reopen", at, data: json!({}) });
    }
    if (before.priority, &before.category) != (change.priority, &change.category) {
        let data = json!({ "priority": change.priority, "category": change.category });
        asked.push(Asked { name: "triage", at, data });
    }
    if (&before.person, &before.group) != (&change.person, &change.group) {
        let person = change.person.as_ref().map(|name| id("person", name));
        let data = json!({ "assigned_to": person, "assigned_group": change.group });
        asked.push(Asked { name: "assign", at, data });
    }
    let stands = if reopened { TicketStatus::Open } else { before.status };
    if stands != change.status {
        asked.push(stand(incident, change));
    }
    if asked.is_empty() {
        let by = change.updated_by.as_deref().unwrap_or("unknown");
        let text = format!("Change {}: {by}", change.sys_mod_count);
        asked.push(Asked { name: "note", at, data: json!({ "text": text }) });
    }
    asked
}

/// The command after which the ticket stands where the change left it.
fn stand(incident: &Incident, change: &Change) -> Asked {
    let (name, data) = match change.status {
        TicketStatus::Open => ("requeue", json!({})),
        TicketStatus::InProgress => ("start", json!({})),
        TicketStatus::AwaitingUser => ("await", json!({ "on": "user" })),
        TicketStatus::AwaitingVendor => ("await", json!({ "on": "vendor" })),
        TicketStatus::AwaitingProblem => ("await", json!({ "on": "problem" })),
        TicketStatus::AwaitingEvidence => ("await", json!({ "on": "evidence" })),
        TicketStatus::Resolved => ("resolve", json!({ "resolution": incident.closed_code })),
        TicketStatus::Closed => ("close", json!({})),
    };
    Asked { name, at: change.updated_at, data }
}

/// The file names people by number only; the rest is derived plainly from it.
fn register(name: &str, at: DateTime<Utc>) -> Line {
    let username = name.to_lowercase().replace(' ', "-");
    command(
        "identity.user.register",
        id("register", name),
        id("person", name),
        at,
        json!({
            "username": username,
            "email": format!("{username}@incidents.example"),
            "full_name": name,
            // No password fits this: they cannot sign in until they set one.
            "password_hash": "!",
        }),
    )
}
