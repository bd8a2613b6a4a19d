//! The statements that the documents print, run as they are printed.

use sqlx::{AssertSqlSafe, PgConnection};

use super::sql::parameters;

/// Runs a statement with the document's `search_path`, its parameters unknown, and takes back what
/// it did. `pg_catalog` comes last there, so that a document's own picture of a catalogue is seen.
pub async fn run(document: &str, text: &str, connection: &mut PgConnection) -> Result<(), String> {
    let explain = text.strip_prefix("EXPLAIN (ANALYZE, BUFFERS)");
    let query = explain.unwrap_or(text).trim();
    let given = vec!["NULL"; parameters(query)].join(", ");
    let execute = if given.is_empty() {
        "EXECUTE printed".to_owned()
    } else {
        format!("EXECUTE printed ({given})")
    };
    let begin = format!("BEGIN; SET LOCAL search_path = {document}, public, pg_catalog");
    let statements = if query.starts_with("SELECT") {
        let explain = explain.map(|_| "EXPLAIN (ANALYZE, BUFFERS) ").unwrap_or_default();
        vec![begin, format!("PREPARE printed AS {query}"), format!("{explain}{execute}")]
    } else {
        vec![begin, query.to_owned()]
    };
    let mut outcome = Ok(());
    for statement in statements {
        let done = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *connection).await;
        if let Err(error) = done {
            let error = error
                .as_database_error()
                .map_or_else(|| error.to_string(), |error| error.message().to_owned());
            outcome = Err(error);
            break;
        }
    }
    sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await.expect("the way back");
    // Not there where it could not even be prepared.
    let _ = sqlx::raw_sql("DEALLOCATE printed").execute(connection).await;
    outcome
}
