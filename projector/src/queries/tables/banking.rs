//! The tables of `banking` as they are asked for.

use daybook_domain::access;

use super::{ID, Match, ReadTable, by, on, sort};
use crate::banking::account::{AccountRow, TransactionRow};
use crate::catalog::TableInfo;

pub(super) const TABLES: &[ReadTable] = &[
    ReadTable {
        context: "banking",
        plural: "accounts",
        info: TableInfo::of::<AccountRow>(),
        kind: Some("banking.account"),
        resource: "banking.account",
        action: access::READ,
        stream: "id",
        filters: &[
            by("user_id", Match::Id),
            by("account_number", Match::Text),
            by("account_type", Match::Text),
            by("created_by", Match::Id),
            by("updated_by", Match::Id),
        ],
        order: &[ID],
        newest_first: false,
        single: true,
    },
    ReadTable {
        context: "banking",
        plural: "transactions",
        info: TableInfo::of::<TransactionRow>(),
        kind: Some("banking.account"),
        resource: "banking.account",
        action: access::READ,
        stream: "account_id",
        filters: &[
            by("account_id", Match::Id),
            by("transaction_type", Match::Text),
            by("status", Match::Text),
            by("created_by", Match::Id),
            by("updated_by", Match::Id),
            on("from", "transaction_date", Match::From),
            on("before", "transaction_date", Match::Before),
        ],
        order: &[sort("transaction_date", "timestamptz"), ID],
        newest_first: true,
        single: true,
    },
];
