//! The partitions that the documents print: made by the same functions that make them ahead.

use chrono::NaiveDate;
use sqlx::PgConnection;

/// The schema that a partitioned table is in.
fn schema(table: &str) -> &'static str {
    if table == "events" { "journal" } else { "public" }
}

/// What is not as the document prints it.
pub async fn complaint(
    child: &str,
    parent: &str,
    bounds: &str,
    connection: &mut PgConnection,
) -> Option<String> {
    if let Some(from) = first_date(bounds).or_else(|| month_of(child))
        && let Err(error) = make(parent, from, connection).await
    {
        return Some(format!("cannot be made: {error}"));
    }
    let found: Option<String> = sqlx::query_scalar(
        "SELECT pg_get_expr(c.relpartbound, c.oid) FROM pg_class c
         JOIN pg_inherits i ON i.inhrelid = c.oid
         WHERE c.oid = to_regclass($1) AND i.inhparent = to_regclass($2)",
    )
    .bind(format!("{}.{child}", schema(parent)))
    .bind(format!("{}.{parent}", schema(parent)))
    .fetch_optional(connection)
    .await
    .expect("the catalogue");
    let Some(found) = found else { return Some("is not there".to_owned()) };
    let plain = |text: &str| {
        let lower = text.to_lowercase().replace("for values", "").replace(" 00:00:00+00", "");
        lower.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    (!bounds.is_empty() && plain(&found) != plain(bounds)).then(|| format!("is {found}"))
}

async fn make(parent: &str, from: NaiveDate, connection: &mut PgConnection) -> sqlx::Result<()> {
    let statement = if parent == "events" {
        "SELECT journal.make_partitions($1, $1)::text, $2::text"
    } else {
        "SELECT projector.make_partitions($2, $1::date::timestamptz, $1::date::timestamptz)"
    };
    sqlx::query(statement).bind(from).bind(parent).execute(connection).await?;
    Ok(())
}

/// Whether a table is in partitions.
pub async fn is_partitioned(table: &str, connection: &mut PgConnection) -> bool {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = to_regclass($1))",
    )
    .bind(format!("{}.{table}", schema(table)))
    .fetch_one(connection)
    .await
    .expect("the catalogue")
}

fn first_date(bounds: &str) -> Option<NaiveDate> {
    bounds.split('\'').nth(1)?.parse().ok()
}

/// `events_2026_01`.
fn month_of(child: &str) -> Option<NaiveDate> {
    let mut parts = child.rsplit('_');
    let (month, year) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    NaiveDate::from_ymd_opt(year, month, 1)
}
