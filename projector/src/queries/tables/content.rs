//! The tables of `content` as they are asked for.

use daybook_domain::access;

use super::{ID, Match, ReadTable, by, on, sort};
use crate::catalog::TableInfo;
use crate::content::comment::CommentRow;
use crate::content::post::PostRow;

pub(super) const TABLES: &[ReadTable] = &[
    ReadTable {
        context: "content",
        plural: "posts",
        info: TableInfo::of::<PostRow>(),
        kind: Some("content.post"),
        resource: "content.post",
        action: access::READ,
        stream: "id",
        filters: &[
            by("user_id", Match::Id),
            by("status", Match::Text),
            by("created_by", Match::Id),
            by("updated_by", Match::Id),
            on("published_from", "published_at", Match::From),
            on("published_before", "published_at", Match::Before),
            on("created_from", "created_at", Match::From),
            on("created_before", "created_at", Match::Before),
        ],
        order: &[sort("created_at", "timestamptz"), ID],
        newest_first: true,
        single: true,
    },
    ReadTable {
        context: "content",
        plural: "comments",
        info: TableInfo::of::<CommentRow>(),
        kind: Some("content.comment"),
        resource: "content.comment",
        action: access::READ,
        stream: "id",
        filters: &[
            by("post_id", Match::Id),
            by("user_id", Match::Id),
            by("created_by", Match::Id),
            by("updated_by", Match::Id),
            on("written_from", "written_at", Match::From),
            on("written_before", "written_at", Match::Before),
        ],
        order: &[sort("written_at", "timestamptz"), ID],
        newest_first: false,
        single: true,
    },
];
