//! Who may send what in `datacentre`.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Belongings, Made, Part, made};

pub(super) const PART: Part = Part {
    context: "datacentre",
    may: &[
        ("datacentre.server.provision", "am", "am"),
        ("datacentre.server.readdress", "am", "am"),
        ("datacentre.server.relocate", "am", "am"),
        ("datacentre.server.resize", "am", "am"),
        ("datacentre.server.assign_customer", "am", "am"),
        ("datacentre.server.release_customer", "am", "am"),
        ("datacentre.server.enter_maintenance", "am", "am"),
        ("datacentre.server.leave_maintenance", "am", "am"),
        ("datacentre.server.decommission", "am", "am"),
        ("datacentre.server.record_usage", "am", "am"),
        // Nobody asks a server's week from outside: it follows from what the server reports.
        ("datacentre.usage.record", "", ""),
    ],
    fields,
    target: |kind, owner| made(kind, owner.person.id).to_string(),
};

/// A server that works for a person.
pub(super) fn makes(person: Uuid) -> Vec<Made> {
    let fields = json!({
        "hostname": format!("{person}.example.org"), "ip_address": "192.0.2.7", "server_type": "web",
        "customer_id": person,
    });
    vec![("datacentre.server", "provision", fields)]
}

fn fields(command: &str, owner: &Belongings, _other: &Belongings) -> Value {
    match command {
        "datacentre.server.provision" => json!({
            "hostname": "new.example.org", "ip_address": "192.0.2.9", "server_type": "web",
            "customer_id": owner.person.id,
        }),
        "datacentre.server.readdress" => json!({ "ip_address": "2001:db8::9" }),
        "datacentre.server.relocate" => json!({ "rack_location": "B-1" }),
        "datacentre.server.resize" => json!({ "cpu_cores": 2 }),
        "datacentre.server.assign_customer" => json!({ "customer_id": owner.person.id }),
        "datacentre.server.record_usage" => json!({ "samples": [
            { "metric_type": "cpu", "value": "1", "unit": "percent", "recorded_at": "2024-01-01T00:00:00Z" },
        ] }),
        _ => json!({}),
    }
}
