//! The tables of `organizations` as they are asked for.

use daybook_domain::access;

use super::{ID, Match, ReadTable, by, on, sort};
use crate::catalog::TableInfo;
use crate::organizations::billing_account::BillingAccountRow;
use crate::organizations::organization::{OrgMemberRow, OrganizationRow};
use crate::organizations::resource::{ResourceMetadataRow, ResourceRow};

pub(super) const TABLES: &[ReadTable] = &[
    ReadTable {
        context: "organizations",
        plural: "organizations",
        info: TableInfo::of::<OrganizationRow>(),
        kind: Some("organizations.organization"),
        resource: "organizations.organization",
        action: access::READ,
        stream: "id",
        filters: &[
            by("created_by", Match::Id),
            by("updated_by", Match::Id),
            on("created_from", "created_at", Match::From),
            on("created_before", "created_at", Match::Before),
        ],
        order: &[sort("created_at", "timestamptz"), ID],
        newest_first: true,
        single: true,
    },
    ReadTable {
        context: "organizations",
        plural: "org_members",
        info: TableInfo::of::<OrgMemberRow>(),
        kind: Some("organizations.organization"),
        resource: "organizations.organization",
        action: access::READ,
        stream: "org_id",
        filters: &[
            by("org_id", Match::Id),
            by("user_id", Match::Id),
            by("created_by", Match::Id),
            by("updated_by", Match::Id),
        ],
        order: &[sort("org_id", "uuid"), sort("user_id", "uuid")],
        newest_first: false,
        single: false,
    },
    ReadTable {
        context: "organizations",
        plural: "billing_accounts",
        info: TableInfo::of::<BillingAccountRow>(),
        kind: Some("organizations.billing_account"),
        resource: "organizations.billing_account",
        action: access::READ,
        stream: "id",
        filters: &[
            by("org_id", Match::Id),
            by("status", Match::Text),
            by("created_by", Match::Id),
            by("updated_by", Match::Id),
        ],
        order: &[ID],
        newest_first: true,
        single: true,
    },
    ReadTable {
        context: "organizations",
        plural: "resources",
        info: TableInfo::of::<ResourceRow>(),
        kind: Some("organizations.resource"),
        resource: "organizations.resource",
        action: access::READ,
        stream: "id",
        filters: &[
            by("org_id", Match::Id),
            by("type", Match::Text),
            by("created_by", Match::Id),
            by("updated_by", Match::Id),
            on("created_from", "created_at", Match::From),
            on("created_before", "created_at", Match::Before),
        ],
        order: &[sort("created_at", "timestamptz"), ID],
        newest_first: true,
        single: true,
    },
    ReadTable {
        context: "organizations",
        plural: "resource_metadata",
        info: TableInfo::of::<ResourceMetadataRow>(),
        kind: Some("organizations.resource"),
        resource: "organizations.resource",
        action: access::READ,
        stream: "resource_id",
        filters: &[
            by("resource_id", Match::Id),
            by("created_by", Match::Id),
            by("updated_by", Match::Id),
        ],
        order: &[sort("resource_id", "uuid")],
        newest_first: true,
        single: false,
    },
];
