//! Rows to and from tables in bulk: one statement a table.

use sqlx::PgConnection;

use crate::rows::TableRows;
use crate::table::{Row, Statements};

/// The most rows that one statement carries.
const CHUNK: usize = 5_000;

/// The rows that are there, of these keys.
pub(crate) async fn load<R: Row>(
    statements: &Statements,
    keys: &[R::Key],
    connection: &mut PgConnection,
) -> Result<Vec<R>, sqlx::Error> {
    let mut rows = Vec::with_capacity(keys.len());
    for keys in keys.chunks(CHUNK) {
        let query = R::bind_keys(sqlx::query(statements.select.clone()), keys);
        for row in query.fetch_all(&mut *connection).await? {
            rows.push(R::read(&row)?);
        }
    }
    Ok(rows)
}

/// Makes rows.
pub(crate) async fn insert<R: Row>(
    statements: &Statements,
    rows: &[&R],
    connection: &mut PgConnection,
) -> Result<usize, sqlx::Error> {
    for rows in rows.chunks(CHUNK) {
        R::bind(sqlx::query(statements.insert.clone()), rows).execute(&mut *connection).await?;
    }
    Ok(rows.len())
}

/// Changes rows; each must be there.
pub(crate) async fn update<R: Row>(
    statements: &Statements,
    rows: &[&R],
    connection: &mut PgConnection,
) -> Result<usize, sqlx::Error> {
    for rows in rows.chunks(CHUNK) {
        let done =
            R::bind(sqlx::query(statements.update.clone()), rows).execute(&mut *connection).await?;
        all_there::<R>(done.rows_affected(), rows.len())?;
    }
    Ok(rows.len())
}

/// Removes rows; each must be there.
pub(crate) async fn delete<R: Row>(
    statements: &Statements,
    rows: &[&R],
    connection: &mut PgConnection,
) -> Result<usize, sqlx::Error> {
    for rows in rows.chunks(CHUNK) {
        let done =
            R::bind(sqlx::query(statements.delete.clone()), rows).execute(&mut *connection).await?;
        all_there::<R>(done.rows_affected(), rows.len())?;
    }
    Ok(rows.len())
}

/// Rows were loaded in this transaction or made by this worker: only a change by hand takes one away.
fn all_there<R: Row>(affected: u64, expected: usize) -> Result<(), sqlx::Error> {
    if usize::try_from(affected) == Ok(expected) {
        return Ok(());
    }
    Err(sqlx::Error::Protocol(format!(
        "{expected} rows of {} were to be changed, {affected} were there",
        R::TABLE
    )))
}

/// Appends rows by COPY. Refused by PostgreSQL under row-level security: for empty tables and
/// tables of one's own.
pub(crate) async fn copy<'a, R: Row>(
    statements: &Statements,
    rows: impl IntoIterator<Item = &'a R>,
    connection: &mut PgConnection,
) -> Result<usize, sqlx::Error> {
    /// How much is sent at once.
    const BUFFER: usize = 256 * 1024;
    /// Signature, no flags, no header extension.
    const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

    let mut copy = connection.copy_in_raw(&statements.copy).await?;
    let mut buffer = Vec::with_capacity(BUFFER + 4096);
    buffer.extend_from_slice(HEADER);
    let mut count = 0;
    for row in rows {
        row.copy(&mut buffer);
        count += 1;
        if buffer.len() >= BUFFER {
            copy.send(buffer.as_slice()).await?;
            buffer.clear();
        }
    }
    buffer.extend_from_slice(&(-1_i16).to_be_bytes());
    copy.send(buffer.as_slice()).await?;
    copy.finish().await?;
    Ok(count)
}

/// Writes what is settled, and of the rest the least recently used beyond `keep`; forgets both.
pub(crate) async fn spill<R: Row>(
    rows: &mut TableRows<R>,
    keep: usize,
    statements: &Statements,
    connection: &mut PgConnection,
) -> Result<usize, sqlx::Error> {
    // Half is let go at once, so that the next pages find room.
    let young = if rows.len() > keep { rows.age_of(keep / 2) } else { 0 };
    let goes = |row: &R, used: u64| row.settled() || used < young;
    let mut count = 0;
    {
        let writes = rows.writes_of(goes);
        if !writes.inserts.is_empty() {
            count += copy(statements, writes.inserts.iter().copied(), connection).await?;
        }
        count += delete(statements, &writes.deletes, connection).await?;
        count += update(statements, &writes.updates, connection).await?;
    }
    rows.forget(goes);
    Ok(count)
}
