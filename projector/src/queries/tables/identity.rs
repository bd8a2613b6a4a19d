//! The tables of `identity` as they are asked for.

use daybook_domain::access;

use super::{ID, Match, Owner, ReadTable, by, on, sort};
use crate::catalog::TableInfo;
use crate::identity::api_key::ApiKeyRow;
use crate::identity::user::{UserIdentifierRow, UserRow};

pub(super) const TABLES: &[ReadTable] = &[
    ReadTable {
        context: "identity",
        plural: "users",
        info: TableInfo::of::<UserRow>(),
        kind: Some("identity.user"),
        resource: "identity.user",
        action: access::READ,
        stream: "id",
        filters: &[
            on("email", "id", Match::Identifier("email")),
            on("username", "id", Match::Identifier("username")),
            by("status", Match::Enum("public.user_status")),
            by("created_by", Match::Id),
            by("updated_by", Match::Id),
            on("created_from", "created_at", Match::From),
            on("created_before", "created_at", Match::Before),
        ],
        order: &[sort("created_at", "timestamptz"), ID],
        newest_first: true,
        owner: Owner::User("id"),
        single: true,
    },
    ReadTable {
        context: "identity",
        plural: "user_identifiers",
        info: TableInfo::of::<UserIdentifierRow>(),
        kind: Some("identity.user"),
        resource: "identity.user",
        action: access::READ,
        stream: "user_id",
        filters: &[by("kind", Match::Text), by("key", Match::Text), by("user_id", Match::Id)],
        order: &[sort("kind", "text"), sort("key", "text")],
        newest_first: false,
        owner: Owner::User("user_id"),
        single: false,
    },
    ReadTable {
        context: "identity",
        plural: "api_keys",
        info: TableInfo::of::<ApiKeyRow>(),
        kind: Some("identity.api_key"),
        resource: "identity.api_key",
        action: access::READ,
        stream: "id",
        filters: &[
            by("user_id", Match::Id),
            by("prefix", Match::Text),
            by("created_by", Match::Id),
            by("updated_by", Match::Id),
            on("expires_from", "expires_at", Match::From),
            on("expires_before", "expires_at", Match::Before),
        ],
        order: &[ID],
        newest_first: true,
        owner: Owner::User("user_id"),
        single: true,
    },
];
