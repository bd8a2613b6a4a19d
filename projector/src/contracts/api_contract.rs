//! `ssot_api_contracts` and `ssot_api_aliases`: both are written from the contract's stream alone.

use chrono::{DateTime, Utc};
use daybook_domain::contracts::api_contract::events::{AliasAdded, Registered};
use daybook_domain::contracts::api_contract::{ApiContractEvent, Finding};
use daybook_domain::values::ContractStatus;
use daybook_store::Recorded;
use uuid::Uuid;

use super::audit_log;
use crate::catalog::{Rows, Touched};
use crate::rows::Fault;
use crate::table::JsonText;

crate::table! {
    /// A row of `ssot_api_contracts`.
    pub struct ApiContractRow in "ssot_api_contracts", key (id: Uuid), entity id;
    id: Uuid,
    canonical_name: String,
    version: String,
    description: Option<String>,
    base_url: String,
    status: String,
    status_reason: Option<String>,
    governance: JsonText as "jsonb",
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: String,
    updated_by: String,
}

crate::table! {
    /// A row of `ssot_api_aliases`.
    pub struct ApiAliasRow in "ssot_api_aliases", key (id: Uuid), entity id;
    id: Uuid,
    contract_id: Uuid,
    alias_name: String,
    context: String,
    alias_type: String,
    expires_at: Option<DateTime<Utc>>,
    description: Option<String>,
    is_active: bool,
    ended_at: Option<DateTime<Utc>>,
    ended_reason: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: String,
    updated_by: String,
}

/// Why an alias ended whose time came.
const EXPIRED: &str = "expired";

/// The rows of an event.
pub fn touches(event: &ApiContractEvent, recorded: &Recorded, touched: &mut Touched) {
    let contract = (recorded.stream_id,);
    audit_log::touches(recorded, touched);
    match event {
        ApiContractEvent::Registered(_) => touched.ssot_api_contracts.makes(contract),
        ApiContractEvent::Revised(_)
        | ApiContractEvent::Deprecated(_)
        | ApiContractEvent::Archived(_) => touched.ssot_api_contracts.needs(contract),
        ApiContractEvent::AliasAdded(event) => touched.ssot_api_aliases.makes((event.alias_id,)),
        ApiContractEvent::AliasDeactivated(event) => {
            touched.ssot_api_aliases.needs((event.alias_id,));
        }
        ApiContractEvent::AliasExpired(event) => touched.ssot_api_aliases.needs((event.alias_id,)),
    }
}

/// What an event makes of the rows.
///
/// # Errors
/// When the rows are not as the events before left them.
pub fn project(
    event: &ApiContractEvent,
    recorded: &Recorded,
    rows: &mut Rows,
) -> Result<(), Fault> {
    match event {
        ApiContractEvent::Registered(event) => registered(event, recorded, rows),
        ApiContractEvent::Revised(event) => change(&event.findings, recorded, rows, |contract| {
            contract.version = event.version.as_str().to_owned();
            contract.description = event.description.as_ref().map(|text| text.as_str().to_owned());
            contract.base_url = event.base_url.as_str().to_owned();
            contract.governance = JsonText::of(&event.findings);
        }),
        ApiContractEvent::Deprecated(event) => change(&[], recorded, rows, |contract| {
            contract.status = ContractStatus::Deprecated.to_string();
            contract.status_reason = event.reason.as_ref().map(|text| text.as_str().to_owned());
        }),
        ApiContractEvent::Archived(event) => change(&[], recorded, rows, |contract| {
            contract.status = ContractStatus::Archived.to_string();
            contract.status_reason = event.reason.as_ref().map(|text| text.as_str().to_owned());
        }),
        ApiContractEvent::AliasAdded(event) => alias_added(event, recorded, rows),
        ApiContractEvent::AliasDeactivated(event) => {
            let reason = event.reason.as_ref().map(|text| text.as_str().to_owned());
            end_alias(event.alias_id, reason, recorded, rows)
        }
        ApiContractEvent::AliasExpired(event) => {
            end_alias(event.alias_id, Some(EXPIRED.to_owned()), recorded, rows)
        }
    }
}

fn registered(event: &Registered, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let actor = recorded.metadata.actor_id.to_string();
    let row = ApiContractRow {
        id: recorded.stream_id,
        canonical_name: event.canonical_name.as_str().to_owned(),
        version: event.version.as_str().to_owned(),
        description: event.description.as_ref().map(|text| text.as_str().to_owned()),
        base_url: event.base_url.as_str().to_owned(),
        status: ContractStatus::Active.to_string(),
        status_reason: None,
        governance: JsonText::of(&event.findings),
        created_at: recorded.recorded_at,
        updated_at: recorded.recorded_at,
        created_by: actor.clone(),
        updated_by: actor,
    };
    rows.ssot_api_contracts.insert(row.clone())?;
    audit_log::write(None, &row, &event.findings, recorded, rows)
}

fn alias_added(event: &AliasAdded, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let actor = recorded.metadata.actor_id.to_string();
    let row = ApiAliasRow {
        id: event.alias_id,
        contract_id: recorded.stream_id,
        alias_name: event.alias_name.as_str().to_owned(),
        context: event.context.as_str().to_owned(),
        alias_type: event.alias_type.to_string(),
        expires_at: event.expires_at,
        description: event.description.as_ref().map(|text| text.as_str().to_owned()),
        is_active: true,
        ended_at: None,
        ended_reason: None,
        created_at: recorded.recorded_at,
        updated_at: recorded.recorded_at,
        created_by: actor.clone(),
        updated_by: actor,
    };
    rows.ssot_api_aliases.insert(row.clone())?;
    audit_log::write(None, &row, &[], recorded, rows)
}

fn end_alias(
    alias_id: Uuid,
    reason: Option<String>,
    recorded: &Recorded,
    rows: &mut Rows,
) -> Result<(), Fault> {
    let (before, after) = rows.ssot_api_aliases.changed(&(alias_id,), |alias| {
        alias.is_active = false;
        alias.ended_at = Some(recorded.happened_at());
        alias.ended_reason = reason;
        alias.updated_at = recorded.recorded_at;
        alias.updated_by = recorded.metadata.actor_id.to_string();
    })?;
    audit_log::write(Some(&before), &after, &[], recorded, rows)
}

fn change(
    findings: &[Finding],
    recorded: &Recorded,
    rows: &mut Rows,
    change: impl FnOnce(&mut ApiContractRow),
) -> Result<(), Fault> {
    let (before, after) = rows.ssot_api_contracts.changed(&(recorded.stream_id,), |contract| {
        change(contract);
        contract.updated_at = recorded.recorded_at;
        contract.updated_by = recorded.metadata.actor_id.to_string();
    })?;
    audit_log::write(Some(&before), &after, findings, recorded, rows)
}
