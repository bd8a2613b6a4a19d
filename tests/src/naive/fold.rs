//! What events make of entities, read plainly: the stored JSON, and none of the project's own code.
//! Everything that an event says is carried over by name; only what is counted, or follows from a word,
//! is written down here. An event that is not known here stops the test.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// An event as it is stored.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) position: i64,
    pub(super) version: i64,
    pub(super) recorded_at: DateTime<Utc>,
    pub(super) happened_at: DateTime<Utc>,
    pub(super) event_type: String,
    pub(super) actor: Uuid,
    pub(super) data: Map<String, Value>,
}

/// The fields of rows, by table and id.
pub(super) type Rows = BTreeMap<(&'static str, String), Map<String, Value>>;

/// The kinds of streams that are folded here, and the table that the entity is in.
pub(super) const KINDS: [(&str, &str); 9] = [
    ("identity.user", "users"),
    ("banking.account", "accounts"),
    ("support.ticket", "support_tickets"),
    ("content.post", "posts"),
    ("content.comment", "comments"),
    ("contracts.api_contract", "ssot_api_contracts"),
    ("contracts.governance_rule", "ssot_governance_rules"),
    ("datacentre.server", "dc_servers"),
    ("datacentre.usage", "dc_usage_metrics"),
];

/// The rows that a stream's events make, in their order.
pub(super) fn fold<'a>(stream: Uuid, events: impl Iterator<Item = &'a Stored>) -> Rows {
    let mut rows = Rows::new();
    for event in events {
        let (kind, what) = event.event_type.rsplit_once('.').expect("a type has a kind");
        let (_, table) = KINDS.iter().find(|(known, _)| *known == kind).expect("a kind");
        let own = (*table, stream.to_string());
        match kind {
            "identity.user" => user(what, event, rows.entry(own).or_default()),
            "banking.account" => account(what, event, own, &mut rows),
            "support.ticket" => ticket(what, event, rows.entry(own).or_default()),
            "content.post" => post(what, event, rows.entry(own).or_default()),
            "content.comment" => comment(what, event, rows.entry(own).or_default()),
            "contracts.api_contract" => contract(what, event, own, &mut rows),
            "contracts.governance_rule" => rule(what, event, rows.entry(own).or_default()),
            "datacentre.server" => server(what, event, rows.entry(own).or_default()),
            "datacentre.usage" => usage(what, event, &mut rows),
            other => panic!("{other} is not folded here"),
        }
    }
    rows
}

fn unknown(event: &Stored) -> ! {
    panic!("{} is not known to the naive fold", event.event_type)
}

fn set(row: &mut Map<String, Value>, fields: Value) {
    let Value::Object(fields) = fields else { panic!("fields") };
    row.extend(fields);
}

/// What was said under these names; nothing where it was not said.
fn take(row: &mut Map<String, Value>, event: &Stored, names: &[&str]) {
    for name in names {
        row.insert((*name).to_owned(), event.data.get(*name).cloned().unwrap_or(Value::Null));
    }
}

fn begun(row: &mut Map<String, Value>, event: &Stored) {
    set(row, json!({ "created_at": event.recorded_at, "created_by": event.actor }));
    touched(row, event);
}

fn touched(row: &mut Map<String, Value>, event: &Stored) {
    set(row, json!({ "updated_at": event.recorded_at, "updated_by": event.actor }));
}

fn user(what: &str, event: &Stored, row: &mut Map<String, Value>) {
    match what {
        "registered" => {
            begun(row, event);
            let names =
                ["username", "email", "full_name", "first_name", "last_name", "phone", "role"];
            take(row, event, &names);
            set(
                row,
                json!({ "status": "active", "is_verified": false, "failed_logins": 0, "last_login": null, "deleted_at": null }),
            );
        }
        "role_changed" => {
            touched(row, event);
            set(row, json!({ "role": event.data["to"] }));
        }
        "verification_requested" => {}
        _ => unknown(event),
    }
}

fn account(what: &str, event: &Stored, own: (&'static str, String), rows: &mut Rows) {
    let row = rows.entry(own.clone()).or_default();
    if what == "opened" {
        begun(row, event);
        let names = [
            "user_id",
            "account_name",
            "account_type",
            "account_number",
            "currency",
            "overdraft_limit",
        ];
        take(row, event, &names);
        set(
            row,
            json!({ "status": "active", "balance": "0.00", "frozen_at": null, "closed_at": null }),
        );
        return;
    }
    touched(row, event);
    match what {
        "deposited" | "withdrawn" | "fee_charged" | "interest_posted" | "transfer_received"
        | "transfer_sent" => {
            // The balance is what the amounts add up to, whatever the event says that it is.
            let sign = if event.data["direction"] == "credit" { 1 } else { -1 };
            let balance = cents(&row["balance"]) + sign * cents(&event.data["amount"]);
            let balance = money(balance);
            set(row, json!({ "balance": balance }));
            let id = event.data["transaction_id"].as_str().expect("an id").to_owned();
            let entry = rows.entry(("transactions", id)).or_default();
            begun(entry, event);
            let names = [
                "transaction_type",
                "direction",
                "amount",
                "currency",
                "description",
                "reference_number",
                "counterparty_bank",
                "counterparty_account",
                "status",
            ];
            take(entry, event, &names);
            set(
                entry,
                json!({ "account_id": own.1, "balance_after": balance, "transaction_date": event.happened_at }),
            );
        }
        "overdraft_limit_set" => take(row, event, &["overdraft_limit"]),
        "closed" => set(row, json!({ "status": "closed", "closed_at": event.happened_at })),
        _ => unknown(event),
    }
}

fn cents(money: &Value) -> i64 {
    let text = money.as_str().expect("money is text");
    let (whole, cents) = text.split_once('.').expect("two digits after the point");
    assert_eq!(cents.len(), 2, "{text}");
    format!("{whole}{cents}").parse().expect("a number")
}

fn money(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
}

fn ticket(what: &str, event: &Stored, row: &mut Map<String, Value>) {
    if what == "opened" {
        begun(row, event);
        let names = [
            "user_id",
            "title",
            "description",
            "priority",
            "category",
            "assigned_to",
            "assigned_group",
        ];
        take(row, event, &names);
        set(
            row,
            json!({
                "status": "open", "reassignment_count": 0, "reopen_count": 0, "note_count": 0, "noted_at": null,
                "resolution": null, "opened_at": event.happened_at, "resolved_at": null, "closed_at": null,
            }),
        );
        return;
    }
    touched(row, event);
    let more = |row: &mut Map<String, Value>, name: &str| {
        let count = row[name].as_i64().expect("a count") + 1;
        set(row, json!({ name: count }));
    };
    match what {
        "triaged" => take(row, event, &["priority", "category"]),
        "assigned" => {
            if row["assigned_group"] != *event.data.get("assigned_group").unwrap_or(&Value::Null) {
                more(row, "reassignment_count");
            }
            take(row, event, &["assigned_to", "assigned_group"]);
        }
        "started" => set(row, json!({ "status": "in_progress" })),
        "awaited" => {
            let on = event.data["on"].as_str().expect("a word");
            set(row, json!({ "status": format!("awaiting_{on}") }));
        }
        "requeued" => set(row, json!({ "status": "open" })),
        "noted" => {
            more(row, "note_count");
            set(row, json!({ "noted_at": event.happened_at }));
        }
        "resolved" => {
            take(row, event, &["resolution"]);
            set(row, json!({ "status": "resolved", "resolved_at": event.happened_at }));
        }
        "reopened" => {
            more(row, "reopen_count");
            set(
                row,
                json!({ "status": "open", "resolution": null, "resolved_at": null, "closed_at": null }),
            );
        }
        "closed" => {
            take(row, event, &["closed_at"]);
            set(row, json!({ "status": "closed" }));
        }
        _ => unknown(event),
    }
}

fn post(what: &str, event: &Stored, row: &mut Map<String, Value>) {
    match what {
        "drafted" => {
            begun(row, event);
            take(row, event, &["user_id", "title", "content"]);
            set(
                row,
                json!({ "status": "draft", "published_at": null, "deleted_at": null, "deleted_reason": null }),
            );
        }
        "published" => {
            touched(row, event);
            if row["published_at"].is_null() {
                set(row, json!({ "published_at": event.happened_at }));
            }
            set(row, json!({ "status": "published" }));
        }
        _ => unknown(event),
    }
}

fn comment(what: &str, event: &Stored, row: &mut Map<String, Value>) {
    match what {
        "written" => {
            begun(row, event);
            take(row, event, &["post_id", "user_id", "content"]);
            set(
                row,
                json!({ "written_at": event.happened_at, "deleted_at": null, "deleted_reason": null }),
            );
        }
        _ => unknown(event),
    }
}

fn contract(what: &str, event: &Stored, own: (&'static str, String), rows: &mut Rows) {
    const ALIASES: &str = "ssot_api_aliases";
    let alias = || (ALIASES, event.data["alias_id"].as_str().expect("an id").to_owned());
    match what {
        "registered" => {
            let row = rows.entry(own).or_default();
            begun(row, event);
            take(row, event, &["canonical_name", "version", "description", "base_url"]);
            set(row, json!({ "status": "active", "status_reason": null }));
        }
        "revised" => {
            let row = rows.entry(own).or_default();
            touched(row, event);
            take(row, event, &["version", "description", "base_url"]);
        }
        "deprecated" | "archived" => {
            let row = rows.entry(own).or_default();
            touched(row, event);
            let reason = event.data.get("reason").cloned();
            set(row, json!({ "status": what, "status_reason": reason }));
        }
        "alias_added" => {
            let row = rows.entry(alias()).or_default();
            begun(row, event);
            take(row, event, &["alias_name", "context", "alias_type", "expires_at", "description"]);
            set(
                row,
                json!({ "contract_id": own.1, "is_active": true, "ended_at": null, "ended_reason": null }),
            );
        }
        "alias_deactivated" => {
            let row = rows.entry(alias()).or_default();
            touched(row, event);
            let reason = event.data.get("reason").cloned();
            set(
                row,
                json!({ "is_active": false, "ended_at": event.happened_at, "ended_reason": reason }),
            );
        }
        _ => unknown(event),
    }
}

fn rule(what: &str, event: &Stored, row: &mut Map<String, Value>) {
    match what {
        "defined" => {
            begun(row, event);
            take(row, event, &["rule_name", "severity", "description"]);
            set(
                row,
                json!({ "is_enabled": event.data["enabled"], "rule_kind": event.data["check"]["kind"] }),
            );
        }
        _ => unknown(event),
    }
}

fn server(what: &str, event: &Stored, row: &mut Map<String, Value>) {
    match what {
        "provisioned" => {
            begun(row, event);
            let names = [
                "hostname",
                "ip_address",
                "server_type",
                "rack_location",
                "cpu_cores",
                "memory_gb",
                "storage_gb",
                "customer_id",
            ];
            take(row, event, &names);
            set(
                row,
                json!({ "status": "active", "status_reason": null, "decommissioned_at": null }),
            );
        }
        _ => unknown(event),
    }
}

/// Samples have ids that count on from the first one's.
fn usage(what: &str, event: &Stored, rows: &mut Rows) {
    if what != "recorded" {
        unknown(event);
    }
    let first: Uuid =
        event.data["first_id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    let mut next = first.as_u128();
    for series in event.data["series"].as_array().expect("series") {
        for point in series["points"].as_array().expect("points") {
            let row =
                rows.entry(("dc_usage_metrics", Uuid::from_u128(next).to_string())).or_default();
            next += 1;
            set(
                row,
                json!({
                    "server_id": event.data["server_id"], "metric_type": series["metric_type"],
                    "unit": series["unit"], "recorded_at": point[0], "value": point[1],
                    "created_at": event.recorded_at,
                }),
            );
        }
    }
}
