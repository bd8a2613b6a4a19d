//! The statements that the documents print, run as they are printed, by those who would run them.

use daybook_tests::rows::{organization, person};
use sqlx::{AssertSqlSafe, PgConnection};

use super::sql::parameters;

/// Who runs a statement: the service, on behalf of a user and their organization; an analyst, who
/// looks at catalogues and statistics; the tables' owner; an administrator of the server.
fn role(query: &str) -> &'static str {
    if query.contains("pg_create_restore_point") {
        "administrator"
    } else if query.starts_with("ANALYZE") {
        "daybook_migrator"
    } else if query.contains("pg_stat_") || query.contains("information_schema") {
        "daybook_analyst"
    } else {
        "application_role"
    }
}

/// Runs a statement as its role, with `search_path` set to the document's schema and `public`, its
/// parameters unknown, and takes back what it did. Gives the role, and what went wrong.
pub async fn run(
    document: &str,
    text: &str,
    connection: &mut PgConnection,
) -> (&'static str, Option<String>) {
    let role = role(text);
    let path = format!("{document}, public");
    let Err(error) = attempt(&path, role, text, connection).await else { return (role, None) };
    // Whether it is the order in which names are looked up, or who may read, and nothing else.
    let last = format!("{path}, pg_catalog");
    let complaint = if attempt(&last, role, text, connection).await.is_ok() {
        format!("only with pg_catalog named last in the path: {error}")
    } else if attempt(&path, "daybook_migrator", text, connection).await.is_ok() {
        format!("only as daybook_migrator: {error}")
    } else {
        error
    };
    (role, Some(complaint))
}

async fn attempt(
    path: &str,
    role: &str,
    text: &str,
    connection: &mut PgConnection,
) -> Result<(), String> {
    let explain = text.strip_prefix("EXPLAIN (ANALYZE, BUFFERS)");
    let query = explain.unwrap_or(text).trim();
    let given = vec!["NULL"; parameters(query)].join(", ");
    let execute = if given.is_empty() {
        "EXECUTE printed".to_owned()
    } else {
        format!("EXECUTE printed ({given})")
    };
    let mut statements = vec![format!(
        "BEGIN; SET LOCAL search_path = {path};
         SET LOCAL app.current_user_id = '{}'; SET LOCAL app.current_org_id = '{}'",
        person("ada"),
        organization("ada")
    )];
    if role != "administrator" {
        statements.push(format!("SET LOCAL ROLE {role}"));
    }
    if query.starts_with("SELECT") {
        let explain = explain.map(|_| "EXPLAIN (ANALYZE, BUFFERS) ").unwrap_or_default();
        statements.extend([format!("PREPARE printed AS {query}"), format!("{explain}{execute}")]);
    } else {
        statements.push(query.to_owned());
    }
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
