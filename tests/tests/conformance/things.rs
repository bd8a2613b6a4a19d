//! What the documents ask for beside tables: looked for in the catalogue by name, and tried out where
//! it is something that does something.

use sqlx::{AssertSqlSafe, PgConnection};

use super::compare::{Row, There, long_name};
use super::wanted::{Thing, Wanted};
use super::{exercise, partitions, queries};

/// Looks for everything that a document asks for beside its tables.
pub async fn things(wanted: &Wanted, there: &There, connection: &mut PgConnection) -> Vec<Row> {
    let mut rows = Vec::new();
    for thing in &wanted.things {
        for (thing, complaint) in look(wanted.document, thing, there, connection).await {
            rows.push(Row { document: wanted.document, thing, complaint });
        }
    }
    rows
}

type Found = Vec<(String, Option<String>)>;

fn verdict(thing: String, good: bool, complaint: &str) -> Found {
    vec![(thing, (!good).then(|| complaint.to_owned()))]
}

async fn look(
    document: &str,
    thing: &Thing,
    there: &There,
    connection: &mut PgConnection,
) -> Found {
    if let Some(table) = subject(thing)
        && there.seen(table).is_none()
        && table != "events"
    {
        return vec![(name(thing), Some(format!("{table} is not there")))];
    }
    match thing {
        Thing::Query(text) => {
            let (role, complaint) = queries::run(document, text, connection).await;
            vec![(format!("{} as {role}", name(thing)), complaint)]
        }
        Thing::Procedure { .. } => verdict(name(thing), false, "is not built yet"),
        Thing::Partition { child, parent, bounds } => {
            let complaint = partitions::complaint(child, parent, bounds, connection).await;
            vec![(name(thing), complaint)]
        }
        Thing::Partitioned { table } => {
            let partitioned = partitions::is_partitioned(table, connection).await;
            verdict(name(thing), partitioned, "is in one piece")
        }
        Thing::RowSecurity { .. }
        | Thing::Policy { .. }
        | Thing::OrganizationPolicy
        | Thing::Function { .. }
        | Thing::Trigger { .. } => {
            let found = in_catalogue(thing, connection).await;
            let complaint = if found {
                by_what_it_does(thing, connection).await
            } else {
                Some("is not there".to_owned())
            };
            vec![(name(thing), complaint)]
        }
        Thing::UpdatedAtTriggers => updated_at(connection).await,
        Thing::AuditTriggers => audited(connection).await,
        Thing::ForeignKeysIndexed => unindexed(connection).await,
        Thing::OneOf { table, column, values } => {
            vec![(name(thing), one_of(there, table, column, values, connection).await)]
        }
        Thing::Named { .. }
        | Thing::ColumnType { .. }
        | Thing::Example(_)
        | Thing::Relation { .. }
        | Thing::Unique { .. }
        | Thing::ForeignKey { .. }
        | Thing::Enumerated { .. }
        | Thing::Everywhere { .. }
        | Thing::Somewhere { .. } => of_tables(thing, there),
    }
}

/// What needs no more than the tables' columns and constraints.
fn of_tables(thing: &Thing, there: &There) -> Found {
    let column =
        |table: &str, column: &str| there.seen(table).and_then(|table| table.columns.get(column));
    match thing {
        Thing::ColumnType { table, column: of, type_name } => {
            let has = column(table, of).map(|column| column.type_name.clone()).unwrap_or_default();
            verdict(name(thing), has == *type_name, &format!("is {has}"))
        }
        Thing::Example(_) => verdict(name(thing), false, "is an example"),
        Thing::Relation { one, other, via } => related(one, other, via.as_deref(), there, thing),
        Thing::Unique { table, columns } => {
            let unique = there.public.get(table).is_some_and(|table| table.is_unique(columns));
            verdict(name(thing), unique, "is not unique")
        }
        Thing::ForeignKey { table, column, target, on_delete } => {
            let columns = std::slice::from_ref(column);
            let key = there.public.get(table).and_then(|table| table.foreign_key(columns));
            let complaint = match key {
                Some(key) if key.target.as_ref() != Some(target) => Some("refers elsewhere"),
                None => Some("does not"),
                Some(key) => on_delete
                    .filter(|rule| key.on_delete != Some(rule.to_string()))
                    .map(|rule| long_name(&rule.to_string())),
            };
            vec![(name(thing), complaint.map(str::to_owned))]
        }
        Thing::Enumerated { column } => {
            let has = |columns: &std::collections::BTreeMap<String, super::catalogue::Column>| {
                columns.get(column).is_some_and(|column| column.labels.is_some())
            };
            let found = there.public.values().any(|table| has(&table.columns));
            verdict(name(thing), found, "is in no table")
        }
        Thing::Everywhere { column } => everywhere(column, there),
        Thing::Somewhere { column } => {
            let found = there.public.values().any(|table| table.columns.contains_key(column));
            verdict(name(thing), found, "is in no table")
        }
        _ => verdict(name(thing), true, ""),
    }
}

fn everywhere(column: &str, there: &There) -> Found {
    let tables =
        there.public.iter().filter(|(name, table)| !table.is_view && *name != "_sqlx_migrations");
    tables
        .map(|(name, table)| {
            let has = table.columns.get(column).map(|column| column.type_name.as_str());
            let complaint = match has {
                Some("timestamp with time zone") => None,
                Some(other) => Some(format!("is {other}")),
                None => Some("is not there".to_owned()),
            };
            (format!("all tables include {column}: {name}"), complaint)
        })
        .collect()
}

fn related(one: &str, other: &str, via: Option<&str>, there: &There, thing: &Thing) -> Found {
    let refers = |from: &str, to: &str| there.public.get(from).is_some_and(|t| t.refers_to(to));
    for table in [one, other].into_iter().chain(via) {
        if there.seen(table).is_none() {
            return vec![(name(thing), Some(format!("{table} is not there")))];
        }
    }
    let related = match via {
        Some(via) => refers(via, one) && refers(via, other),
        None => {
            refers(one, other)
                || refers(other, one)
                || there.public.keys().any(|via| refers(via, one) && refers(via, other))
        }
    };
    verdict(name(thing), related, "they do not refer to one another")
}

/// The table without which a thing cannot be.
fn subject(thing: &Thing) -> Option<&str> {
    match thing {
        Thing::Named { table }
        | Thing::Partitioned { table }
        | Thing::RowSecurity { table }
        | Thing::ColumnType { table, .. }
        | Thing::Policy { table, .. }
        | Thing::Trigger { table, .. }
        | Thing::OneOf { table, .. }
        | Thing::Unique { table, .. }
        | Thing::ForeignKey { table, .. } => Some(table),
        Thing::Partition { parent, .. } => Some(parent),
        Thing::OrganizationPolicy => Some("resources"),
        _ => None,
    }
}

fn name(thing: &Thing) -> String {
    match thing {
        Thing::Named { table } => format!("table {table}"),
        Thing::Partition { child, parent, .. } => format!("partition {child} of {parent}"),
        Thing::Partitioned { table } => format!("{table} is partitioned"),
        Thing::RowSecurity { table } => format!("row-level security of {table}"),
        Thing::ColumnType { table, column, type_name } => {
            format!("{table}.{column} becomes {type_name}")
        }
        Thing::Policy { name, table, .. } => format!("policy {name} on {table}"),
        Thing::OrganizationPolicy => "users see their organization's rows".to_owned(),
        Thing::Function { name } => format!("function {name}()"),
        Thing::Trigger { name, table, .. } => format!("trigger {name} on {table}"),
        Thing::Query(text) => format!("query {}", on_one_line(text)),
        Thing::Procedure { heading, text } => format!("{heading}: {text}"),
        Thing::Example(text) => format!("example {}", on_one_line(text)),
        Thing::Relation { one, other, via: Some(via) } => format!("{one} and {other} via {via}"),
        Thing::Relation { one, other, via: None } => format!("{one} and {other}"),
        Thing::OneOf { table, column, values } => {
            format!("{table}.{column} is one of {}", values.join(", "))
        }
        Thing::Unique { table, columns } => format!("{table} unique ({})", columns.join(", ")),
        Thing::ForeignKey { table, column, target, .. } => {
            format!("{table}.{column} refers to {target}")
        }
        Thing::Enumerated { column } => format!("{column} is of an ENUM type"),
        Thing::Everywhere { column } => format!("all tables include {column}"),
        Thing::Somewhere { column } => format!("some tables include {column}"),
        Thing::UpdatedAtTriggers => "all tables keep updated_at".to_owned(),
        Thing::AuditTriggers => "all main tables have audit triggers".to_owned(),
        Thing::ForeignKeysIndexed => "foreign keys are indexed".to_owned(),
    }
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

async fn in_catalogue(thing: &Thing, connection: &mut PgConnection) -> bool {
    let there = |table: &str| format!("to_regclass('public.{table}')");
    let condition = match thing {
        Thing::RowSecurity { table } => format!(
            "EXISTS (SELECT FROM pg_class WHERE oid = {} AND relrowsecurity)",
            there(table)
        ),
        Thing::Policy { name, table, text } => {
            let role = text.split(" TO ").nth(1).and_then(|rest| rest.split_whitespace().next());
            format!(
                "EXISTS (SELECT FROM pg_policies WHERE schemaname = 'public' AND tablename = '{table}'
                 AND policyname = '{name}' AND cmd = 'ALL' AND '{}' = ANY (roles))",
                role.unwrap_or("public")
            )
        }
        Thing::OrganizationPolicy => "EXISTS (SELECT FROM pg_policies WHERE schemaname = 'public'
            AND tablename = 'resources' AND 'application_role' = ANY (roles) AND qual LIKE '%org_id%')"
            .to_owned(),
        Thing::Function { name } => format!("to_regproc('public.{name}') IS NOT NULL"),
        Thing::Trigger { name, table, function } => format!(
            "EXISTS (SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
             WHERE t.tgrelid = {} AND t.tgname = '{name}' AND p.proname = '{function}')",
            there(table)
        ),
        _ => return false,
    };
    sqlx::query_scalar(AssertSqlSafe(format!("SELECT {condition}")))
        .fetch_one(connection)
        .await
        .expect("the catalogue")
}

/// Tries out what is there under its name.
async fn by_what_it_does(thing: &Thing, connection: &mut PgConnection) -> Option<String> {
    match thing {
        Thing::RowSecurity { table } => exercise::row_security(table, connection).await,
        Thing::Policy { table, text, .. } => exercise::policy(table, text, connection).await,
        Thing::OrganizationPolicy => exercise::organization_policy("resources", connection).await,
        Thing::Function { name } => exercise::function(name, connection).await,
        Thing::Trigger { name, table, .. } => exercise::trigger(table, name, connection).await,
        _ => None,
    }
}

/// Every table that has `updated_at`, and whether that is computed: of rows that never change.
async fn tables(connection: &mut PgConnection) -> Vec<(String, bool)> {
    sqlx::query_as(
        "SELECT c.relname::text, a.attgenerated <> ''
         FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'updated_at'
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
         ORDER BY 1",
    )
    .fetch_all(connection)
    .await
    .expect("the catalogue")
}

async fn updated_at(connection: &mut PgConnection) -> Found {
    let mut found = Vec::new();
    for (table, computed) in tables(connection).await {
        let complaint =
            if computed { None } else { exercise::keeps_updated_at(&table, connection).await };
        found.push((format!("{table} keeps updated_at"), complaint));
    }
    found
}

async fn audited(connection: &mut PgConnection) -> Found {
    let mut found = Vec::new();
    for (table, _) in tables(connection).await {
        let complaint = exercise::audits(&table, connection).await;
        found.push((format!("{table} audits changes by hand"), complaint));
    }
    found
}

/// For each foreign key, whether an index begins with its columns.
async fn unindexed(connection: &mut PgConnection) -> Found {
    let keys: Vec<(String, bool)> = sqlx::query_as(
        "SELECT format('index for %s.%s', c.relname, k.conname), EXISTS (
             SELECT FROM pg_index x WHERE x.indrelid = c.oid
               AND (x.indkey::int2[])[0:cardinality(k.conkey) - 1] = k.conkey)
         FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
         WHERE k.contype = 'f' AND k.conparentid = 0 AND c.relnamespace = 'public'::regnamespace
           AND NOT c.relispartition
         ORDER BY 1",
    )
    .fetch_all(connection)
    .await
    .expect("the catalogue");
    keys.into_iter().map(|(key, has)| (key, (!has).then(|| "is not there".to_owned()))).collect()
}

/// Tries each value, and one that is not in the list.
async fn one_of(
    there: &There,
    table: &str,
    column: &str,
    values: &[String],
    connection: &mut PgConnection,
) -> Option<String> {
    let has = there.public.get(table).and_then(|table| table.columns.get(column))?;
    if let Some(labels) = &has.labels {
        return (labels != values).then(|| format!("is one of {}", labels.join(", ")));
    }
    let checks: Vec<String> = sqlx::query_scalar(
        "SELECT pg_get_expr(k.conbin, k.conrelid) FROM pg_constraint k
         JOIN pg_attribute a ON a.attrelid = k.conrelid AND k.conkey = ARRAY[a.attnum]
         WHERE k.contype = 'c' AND k.conrelid = format('public.%I', $1)::regclass AND a.attname = $2",
    )
    .bind(table)
    .bind(column)
    .fetch_all(&mut *connection)
    .await
    .expect("the catalogue");
    let mut accepted = Vec::new();
    for value in values.iter().map(String::as_str).chain(["something else"]) {
        let all: Vec<String> = checks.iter().map(|check| format!("({check})")).collect();
        let tried = format!(
            "SELECT {} FROM (SELECT '{value}'::{} AS {column}) AS row",
            if all.is_empty() { "true".to_owned() } else { all.join(" AND ") },
            has.type_name
        );
        let accepts: bool =
            sqlx::query_scalar(AssertSqlSafe(tried)).fetch_one(&mut *connection).await.unwrap();
        if accepts {
            accepted.push(value);
        }
    }
    (accepted != values).then(|| format!("takes {}", accepted.join(", ")))
}
