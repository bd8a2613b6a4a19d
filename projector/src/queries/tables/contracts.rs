//! The tables of `contracts` as they are asked for.

use daybook_domain::access;

use super::{ID, Match, ReadTable, by, on, sort};
use crate::catalog::TableInfo;
use crate::contracts::api_contract::{ApiAliasRow, ApiContractRow};
use crate::contracts::audit_log::SsotAuditLogRow;
use crate::contracts::governance_rule::GovernanceRuleRow;

pub(super) const TABLES: &[ReadTable] = &[
    ReadTable {
        context: "contracts",
        plural: "api_contracts",
        info: TableInfo::of::<ApiContractRow>(),
        kind: Some("contracts.api_contract"),
        resource: "contracts.api_contract",
        action: access::READ,
        stream: "id",
        filters: &[by("canonical_name", Match::Text), by("status", Match::Text)],
        order: &[ID],
        newest_first: false,
        single: true,
    },
    ReadTable {
        context: "contracts",
        plural: "api_aliases",
        info: TableInfo::of::<ApiAliasRow>(),
        kind: Some("contracts.api_contract"),
        resource: "contracts.api_contract",
        action: access::READ,
        stream: "contract_id",
        filters: &[
            by("contract_id", Match::Id),
            by("alias_name", Match::Text),
            by("context", Match::Text),
            on("expires_from", "expires_at", Match::From),
            on("expires_before", "expires_at", Match::Before),
        ],
        order: &[ID],
        newest_first: false,
        single: true,
    },
    ReadTable {
        context: "contracts",
        plural: "governance_rules",
        info: TableInfo::of::<GovernanceRuleRow>(),
        kind: Some("contracts.governance_rule"),
        resource: "contracts.governance_rule",
        action: access::READ,
        stream: "id",
        filters: &[by("rule_name", Match::Text), by("rule_kind", Match::Text)],
        order: &[ID],
        newest_first: false,
        single: true,
    },
    // Who changed what in the registry: for those who may read the past of contracts.
    ReadTable {
        context: "contracts",
        plural: "audit_logs",
        info: TableInfo::of::<SsotAuditLogRow>(),
        kind: None,
        resource: "contracts.api_contract",
        action: access::HISTORY,
        stream: "stream_id",
        filters: &[
            by("entity_type", Match::Text),
            by("entity_id", Match::Id),
            by("changed_by", Match::Text),
            on("from", "created_at", Match::From),
            on("before", "created_at", Match::Before),
        ],
        order: &[sort("id", "int8")],
        newest_first: true,
        single: true,
    },
];
