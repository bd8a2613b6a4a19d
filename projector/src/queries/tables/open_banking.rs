//! The tables of `open_banking` as they are asked for.

use daybook_domain::access;

use super::{ID, Match, ReadTable, by, on, sort};
use crate::catalog::TableInfo;
use crate::open_banking::aisp_account::{AispAccountRow, AispTransactionRow};

pub(super) const TABLES: &[ReadTable] = &[
    ReadTable {
        context: "open_banking",
        plural: "accounts",
        info: TableInfo::of::<AispAccountRow>(),
        kind: Some("open_banking.aisp_account"),
        resource: "open_banking.aisp_account",
        action: access::READ,
        stream: "id",
        filters: &[
            by("user_id", Match::Id),
            by("bank_id", Match::Text),
            by("created_by", Match::Id),
            by("updated_by", Match::Id),
            on("consent_expires_from", "consent_expires", Match::From),
            on("consent_expires_before", "consent_expires", Match::Before),
        ],
        order: &[ID],
        newest_first: false,
        single: true,
    },
    ReadTable {
        context: "open_banking",
        plural: "transactions",
        info: TableInfo::of::<AispTransactionRow>(),
        kind: Some("open_banking.aisp_account"),
        resource: "open_banking.aisp_account",
        action: access::READ,
        stream: "account_id",
        filters: &[
            by("account_id", Match::Id),
            by("transaction_id", Match::Text),
            by("category", Match::Text),
            by("created_by", Match::Id),
            by("updated_by", Match::Id),
            on("from", "transaction_date", Match::From),
            on("before", "transaction_date", Match::Before),
        ],
        order: &[sort("transaction_date", "date"), ID],
        newest_first: true,
        single: true,
    },
];
