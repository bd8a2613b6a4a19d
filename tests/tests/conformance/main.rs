//! The database, held against the design documents themselves.
//!
//! Every table, column, key, index, constraint, policy, trigger, function, partition and query that
//! the four documents name is looked for in a migrated database, by a parser that reads them where
//! they lie, each in its own notation. Policies, triggers and functions are tried out on rows, and
//! queries are run by those who would run them. What is deliberately different is in
//! `differences.toml`, with its reason and the later work that it belongs to, where it does;
//! everything else must be as it is written. `--nocapture` prints the whole table.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    reason = "a test is a crate of its own, and stops where it fails"
)]

mod blocks;
mod broken;
mod catalogue;
mod compare;
mod differences;
mod entities;
mod exercise;
mod markdown;
mod partitions;
mod queries;
mod sql;
mod things;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use compare::{Row, There};
use daybook_tests::{TestDatabase, rows as some_rows, shared};
use differences::{Differences, LATER, Verdict};
use sqlx::PgConnection;
use wanted::{DOCUMENTS, Wanted};

/// The four documents, read; `None` where they are not at hand.
fn documents() -> Option<Vec<Wanted>> {
    let read = |(name, path): (&'static str, &str)| {
        let text = fs::read_to_string(shared(path)?).expect("a document");
        Some(wanted::read(name, &text))
    };
    DOCUMENTS.into_iter().map(read).collect()
}

/// A database with rows in every table, for what is to be tried out on some.
async fn filled() -> TestDatabase {
    let database = TestDatabase::fresh().await;
    some_rows::put(&mut database.superuser().await).await;
    database
}

/// Everything that the documents ask for, and what is not so.
async fn rows(documents: &[Wanted], connection: &mut PgConnection) -> Vec<Row> {
    let mut rows = Vec::new();
    for wanted in documents {
        let there = There::of(wanted.document, connection).await;
        rows.extend(compare::tables(wanted, &there, connection).await);
        rows.extend(things::things(wanted, &there, connection).await);
    }
    rows
}

#[tokio::test]
async fn the_database_is_as_the_documents_have_it() {
    let Some(documents) = documents() else { return };
    let database = filled().await;
    let rows = rows(&documents, &mut database.superuser().await).await;
    let list = Differences::read(include_str!("differences.toml"));
    let (verdicts, unneeded) = list.judge(&rows);
    let mut missing = Vec::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    println!("| document | thing | verdict | later, with |\n| --- | --- | --- | --- |");
    for (row, verdict) in rows.iter().zip(&verdicts) {
        let (word, text, later) = match verdict {
            Verdict::Satisfied => ("satisfied", String::new(), ""),
            Verdict::Different { reason, later } => (
                if later.is_some() { "later" } else { "different" },
                format!(": {reason}"),
                later.unwrap_or(""),
            ),
            Verdict::Missing(complaint) => ("MISSING", format!(": {complaint}"), ""),
        };
        *counts.entry(word).or_default() += 1;
        let line = format!("| {} | {} | {word}{text} | {later} |", row.document, row.thing);
        println!("{line}");
        if word == "MISSING" {
            missing.push(line);
        }
    }
    println!("{counts:?}");
    assert!(missing.is_empty(), "not as the documents have it:\n{}", missing.join("\n"));
    assert!(unneeded.is_empty(), "differences.toml has entries that nothing needs: {unneeded:#?}");
    let later: BTreeSet<&str> = verdicts.iter().filter_map(Verdict::later).collect();
    assert_eq!(later, LATER.into(), "each work that comes later has something to do");
}

/// The parser leaves nothing out: what it finds is counted against the documents' raw text.
#[test]
fn everything_that_is_written_is_found() {
    for (name, path) in DOCUMENTS {
        let Some(path) = shared(path) else { return };
        let text = fs::read_to_string(path).unwrap();
        let found = wanted::read(name, &text);
        let statements: Vec<&String> =
            found.sources.iter().flat_map(|source| &source.statements).collect();
        let starts = |word: &str| statements.iter().filter(|s| s.starts_with(word)).count();
        let things = |word: &str| {
            found.things.iter().filter(|thing| format!("{thing:?}").starts_with(word)).count()
        };
        let lines = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
        let index_items = lines("- `idx_");
        let other_tables = match name {
            // Three entities in a diagram, five column tables, one migration.
            "application" => 3 + lines("| Column ") + lines("    op.create_table("),
            // Four entities, one in a sentence, three in the example.
            "saas" => 8,
            "nexus" => lines("| Column "),
            _ => 0,
        };
        assert_eq!(
            starts("CREATE TABLE") + things("Partition {") - lines("events_2026"),
            lines("CREATE TABLE") + other_tables,
            "{name}: tables in {statements:#?}"
        );
        if name != "saas" {
            let made = lines("CREATE INDEX") + index_items + lines("    op.create_index(");
            assert_eq!(starts("CREATE INDEX"), made, "{name}: indexes");
        }
        assert_eq!(things("Policy"), lines("CREATE POLICY"), "{name}: policies");
        assert_eq!(things("Trigger"), lines("CREATE TRIGGER"), "{name}: triggers");
        let queries = ["SELECT ", "EXPLAIN ", "ANALYZE "].map(lines).iter().sum::<usize>();
        let explained = lines("EXPLAIN ");
        assert_eq!(things("Query"), queries - explained, "{name}: queries");
    }
}
