//! `ssot_governance_rules`.

use chrono::{DateTime, Utc};
use daybook_domain::contracts::governance_rule::{Check, GovernanceRuleEvent};
use daybook_store::Recorded;
use uuid::Uuid;

use super::audit_log;
use crate::catalog::{Rows, Touched};
use crate::rows::Fault;
use crate::table::JsonText;

crate::table! {
    /// A row of `ssot_governance_rules`.
    pub struct GovernanceRuleRow in "ssot_governance_rules", key (id: Uuid), entity id;
    id: Uuid,
    rule_name: String,
    rule_kind: String,
    definition: JsonText as "jsonb",
    severity: String,
    description: Option<String>,
    is_enabled: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: String,
    updated_by: String,
}

/// The rows of an event.
pub fn touches(event: &GovernanceRuleEvent, recorded: &Recorded, touched: &mut Touched) {
    let key = (recorded.stream_id,);
    audit_log::touches(recorded, touched);
    match event {
        GovernanceRuleEvent::Defined(_) => touched.ssot_governance_rules.makes(key),
        GovernanceRuleEvent::Changed(_)
        | GovernanceRuleEvent::Enabled(_)
        | GovernanceRuleEvent::Disabled(_) => touched.ssot_governance_rules.needs(key),
    }
}

/// What an event makes of the rows.
///
/// # Errors
/// When the rows are not as the events before left them.
pub fn project(
    event: &GovernanceRuleEvent,
    recorded: &Recorded,
    rows: &mut Rows,
) -> Result<(), Fault> {
    match event {
        GovernanceRuleEvent::Defined(event) => {
            let actor = recorded.metadata.actor_id.to_string();
            let row = GovernanceRuleRow {
                id: recorded.stream_id,
                rule_name: event.rule_name.as_str().to_owned(),
                rule_kind: event.check.kind().to_owned(),
                definition: JsonText::of(&event.check),
                severity: event.severity.to_string(),
                description: event.description.as_ref().map(|text| text.as_str().to_owned()),
                is_enabled: event.enabled,
                created_at: recorded.recorded_at,
                updated_at: recorded.recorded_at,
                created_by: actor.clone(),
                updated_by: actor,
            };
            rows.ssot_governance_rules.insert(row.clone())?;
            audit_log::write(None, &row, &[], recorded, rows)
        }
        GovernanceRuleEvent::Changed(event) => change(recorded, rows, |rule| {
            let check: &Check = &event.check;
            rule.rule_kind = check.kind().to_owned();
            rule.definition = JsonText::of(check);
            rule.severity = event.severity.to_string();
            rule.description = event.description.as_ref().map(|text| text.as_str().to_owned());
        }),
        GovernanceRuleEvent::Enabled(_) => change(recorded, rows, |rule| rule.is_enabled = true),
        GovernanceRuleEvent::Disabled(_) => change(recorded, rows, |rule| rule.is_enabled = false),
    }
}

fn change(
    recorded: &Recorded,
    rows: &mut Rows,
    change: impl FnOnce(&mut GovernanceRuleRow),
) -> Result<(), Fault> {
    let (before, after) = rows.ssot_governance_rules.changed(&(recorded.stream_id,), |rule| {
        change(rule);
        rule.updated_at = recorded.recorded_at;
        rule.updated_by = recorded.metadata.actor_id.to_string();
    })?;
    audit_log::write(Some(&before), &after, &[], recorded, rows)
}
