//! Who may send what in `recycling`.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Belongings, Made, Part, made};

pub(super) const PART: Part = Part {
    context: "recycling",
    may: &[
        ("recycling.collection.schedule", "amu", "am"),
        ("recycling.collection.reschedule", "amu", "am"),
        ("recycling.collection.complete", "am", "am"),
        ("recycling.collection.miss", "am", "am"),
        ("recycling.collection.cancel", "amu", "am"),
        ("recycling.collection.record_processing", "am", "am"),
    ],
    fields,
    target: |kind, owner| made(kind, owner.person.id).to_string(),
};

/// A collection at theirs.
pub(super) fn makes(person: Uuid) -> Vec<Made> {
    vec![("recycling.collection", "schedule", schedule(person))]
}

fn schedule(customer: Uuid) -> Value {
    json!({
        "customer_id": customer, "collection_type": "paper", "scheduled_date": "2024-01-15",
        "location_address": "1 Mill Lane",
    })
}

fn fields(command: &str, owner: &Belongings, _other: &Belongings) -> Value {
    match command {
        "recycling.collection.schedule" => schedule(owner.person.id),
        "recycling.collection.reschedule" => json!({ "scheduled_date": "2024-01-16" }),
        "recycling.collection.complete" => json!({ "weight_kg": "10.00" }),
        "recycling.collection.record_processing" => {
            json!({ "material_type": "paper", "weight_kg": "1.00" })
        }
        _ => json!({}),
    }
}
