//! Policies, triggers and functions by what they do: each is tried on rows, as the role that it is
//! for, and everything is taken back. `None`: it does what the document says of it.

use daybook_tests::rows::{organization, person};
use sqlx::{AssertSqlSafe, PgConnection, Row as _};
use uuid::Uuid;

/// Runs statements of which none fails where all is well; the first failure is the complaint.
async fn run(statements: &str, connection: &mut PgConnection) -> Result<(), String> {
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned()))
        .execute(connection)
        .await
        .map(drop)
        .map_err(|error| told(&error))
}

/// A row of numbers.
async fn numbers(query: &str, connection: &mut PgConnection) -> Result<Vec<i64>, String> {
    let row = sqlx::query(AssertSqlSafe(query.to_owned()))
        .fetch_one(connection)
        .await
        .map_err(|error| told(&error))?;
    Ok((0..row.len()).map(|at| row.get(at)).collect())
}

fn told(error: &sqlx::Error) -> String {
    error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())
}

/// What is tried is taken back, however it ends.
async fn taken_back(
    outcome: Result<Option<String>, String>,
    connection: &mut PgConnection,
) -> Option<String> {
    run("ROLLBACK", connection).await.expect("the way back");
    outcome.unwrap_or_else(Some)
}

/// A condition as a policy writes it: `USING (column = current_setting('setting')::UUID)`.
fn condition(policy: &str) -> Option<(&str, &str)> {
    let (column, rest) = policy.split_once("USING (")?.1.split_once(" = current_setting('")?;
    Some((column.trim(), rest.split_once('\'')?.0))
}

/// A policy for everything, by a column and a setting: its role sees, changes and takes away the
/// rows of whom the setting names, gives none away, makes none for others; and without one, nothing.
pub async fn policy(table: &str, text: &str, connection: &mut PgConnection) -> Option<String> {
    let role = text.split(" TO ").nth(1).and_then(|rest| rest.split_whitespace().next());
    let (Some((column, setting)), Some(role)) = (condition(text), role) else {
        return Some("has a condition of no form known here".to_owned());
    };
    // The role has no right to change: what is asked is what the policy lets through if it had.
    let begin = format!("BEGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON public.{table} TO {role}");
    let outcome = async {
        run(&begin, connection).await?;
        let whole = numbers(&format!("SELECT count(*) FROM public.{table}"), connection).await?[0];
        run(&format!("SET LOCAL ROLE {role}"), connection).await?;
        for (one, other) in [("ada", "bob"), ("bob", "ada")] {
            let (own, others) = (person(one), person(other));
            run(&format!("SET LOCAL {setting} = '{own}'"), connection).await?;
            if let Some(complaint) = bound(table, column, (own, others), connection).await? {
                return Ok(Some(complaint));
            }
        }
        run(&format!("SET LOCAL {setting} = ''"), connection).await?;
        let nobody = numbers(&format!("SELECT count(*) FROM public.{table}"), connection).await?[0];
        run("RESET ROLE", connection).await?;
        let left = numbers(&format!("SELECT count(*) FROM public.{table}"), connection).await?[0];
        Ok(match (nobody, whole - left) {
            (0, 2) => None,
            (0, gone) => Some(format!("lets {gone} rows go where each of two had one")),
            (seen, _) => Some(format!("shows {seen} rows to nobody")),
        })
    }
    .await;
    taken_back(outcome, connection).await
}

/// What a policy lets through for one person: read, change, give away, make, take away, in this order.
async fn bound(
    table: &str,
    column: &str,
    (own, others): (Uuid, Uuid),
    connection: &mut PgConnection,
) -> Result<Option<String>, String> {
    let mine = format!("count(*) FILTER (WHERE {column} = '{own}')");
    let count = format!("{mine}, count(*) FILTER (WHERE {column} IS DISTINCT FROM '{own}')");
    let seen = numbers(&format!("SELECT {count} FROM public.{table}"), connection).await?;
    if seen != [1, 0] {
        return Ok(Some(format!("shows {} of one's own rows and {} of others", seen[0], seen[1])));
    }
    let changed = format!(
        "WITH changed AS (UPDATE public.{table} SET {column} = {column} RETURNING {column})
         SELECT {count} FROM changed"
    );
    let changed = numbers(&changed, connection).await?;
    if changed != [1, 0] {
        return Ok(Some(format!("lets {} of others' rows be changed", changed[1])));
    }
    for (given, what) in [
        (format!("UPDATE public.{table} SET {column} = '{others}'"), "given away"),
        (
            format!(
                "INSERT INTO public.{table} SELECT (jsonb_populate_record(t, jsonb_build_object(
                     '{column}', '{others}', 'id', gen_random_uuid(), 'account_id', 'another'))).*
                 FROM public.{table} t"
            ),
            "made for others",
        ),
    ] {
        run("SAVEPOINT given", connection).await?;
        let refused = run(&given, connection).await;
        run("ROLLBACK TO given", connection).await?;
        match refused {
            Err(error) if error.contains("row-level security") => {}
            Err(error) => return Ok(Some(format!("lets rows be {what}, but for this: {error}"))),
            Ok(()) => return Ok(Some(format!("lets rows be {what}"))),
        }
    }
    run(&format!("DELETE FROM public.{table}"), connection).await?;
    Ok(None)
}

/// Row-level security: without an identity, a reader sees nothing of what is there.
pub async fn row_security(table: &str, connection: &mut PgConnection) -> Option<String> {
    let count = format!("SELECT count(*) FROM public.{table}");
    let outcome = async {
        run("BEGIN", connection).await?;
        let whole = numbers(&count, connection).await?[0];
        run("SET LOCAL ROLE application_role", connection).await?;
        let seen = numbers(&count, connection).await?[0];
        Ok(match (whole, seen) {
            (0, _) => Some("has no rows to be kept from anybody".to_owned()),
            (_, 0) => None,
            (whole, seen) => Some(format!("shows {seen} of {whole} rows to nobody")),
        })
    }
    .await;
    taken_back(outcome, connection).await
}

/// "Users see rows WHERE org_id = current_user_org_id": those of the organization on whose behalf
/// they read, where they are a member of it, and none of another.
pub async fn organization_policy(table: &str, connection: &mut PgConnection) -> Option<String> {
    let outcome = async {
        run("BEGIN; SET LOCAL ROLE application_role", connection).await?;
        for (who, whose, expected) in
            [("ada", "ada", 1), ("bob", "bob", 1), ("carol", "ada", 1), ("ada", "bob", 0)]
        {
            let organization = organization(whose);
            let asked = format!(
                "SET LOCAL app.current_user_id = '{}'; SET LOCAL app.current_org_id = '{organization}'",
                person(who)
            );
            run(&asked, connection).await?;
            let count = format!(
                "SELECT count(*) FILTER (WHERE org_id = '{organization}'),
                        count(*) FILTER (WHERE org_id IS DISTINCT FROM '{organization}') FROM public.{table}"
            );
            let seen = numbers(&count, connection).await?;
            if seen != [expected, 0] {
                let of = format!("{} of {whose}'s organization and {} others", seen[0], seen[1]);
                return Ok(Some(format!("shows {who} {of}")));
            }
        }
        Ok(None)
    }
    .await;
    taken_back(outcome, connection).await
}

/// Whether every row of the table that is changed gets the time at which it was.
async fn kept(table: &str, connection: &mut PgConnection) -> Result<bool, String> {
    let update = format!(
        "WITH changed AS (UPDATE public.{table} SET updated_at = '2001-01-01' RETURNING updated_at)
         SELECT count(*), count(*) FILTER (WHERE updated_at > now() - interval '1 minute') FROM changed"
    );
    let changed = numbers(&update, connection).await?;
    if changed[0] == 0 {
        return Err("has no rows to be changed".to_owned());
    }
    Ok(changed[0] == changed[1])
}

/// Any table's own `updated_at`, when somebody changes a row.
pub async fn keeps_updated_at(table: &str, connection: &mut PgConnection) -> Option<String> {
    let outcome = async {
        run("BEGIN", connection).await?;
        let kept = kept(table, connection).await?;
        Ok((!kept).then(|| "a change by hand leaves the time that it says".to_owned()))
    }
    .await;
    taken_back(outcome, connection).await
}

/// A trigger by its name: with it changes get their time, and without it they do not.
pub async fn trigger(table: &str, name: &str, connection: &mut PgConnection) -> Option<String> {
    let outcome = async {
        run("BEGIN", connection).await?;
        if !kept(table, connection).await? {
            return Ok(Some("a change by hand leaves the time that it says".to_owned()));
        }
        run(&format!("ALTER TABLE public.{table} DISABLE TRIGGER {name}"), connection).await?;
        let without = kept(table, connection).await?;
        Ok(without.then(|| "is not what keeps the time: something else does".to_owned()))
    }
    .await;
    taken_back(outcome, connection).await
}

/// A change by hand to a row is written down, and shows in the audit trail.
pub async fn audits(table: &str, connection: &mut PgConnection) -> Option<String> {
    let lines = format!(
        "SELECT count(*) FROM journal.drift d JOIN public.audit_logs a ON a.id = -d.id
         WHERE d.table_name = '{table}' AND a.entity_type = '{table}' AND a.action = 'OUT_OF_BAND'"
    );
    let outcome = async {
        run("BEGIN", connection).await?;
        let before = numbers(&lines, connection).await?[0];
        let touched = format!(
            "WITH one AS (SELECT ctid, tableoid FROM public.{table} LIMIT 1), gone AS (
                 UPDATE public.{table} t SET created_at = t.created_at - interval '1 microsecond'
                 FROM one WHERE t.ctid = one.ctid AND t.tableoid = one.tableoid RETURNING 1)
             SELECT count(*) FROM gone"
        );
        if numbers(&touched, connection).await? != [1] {
            return Ok(Some("has no rows to be changed".to_owned()));
        }
        let written = numbers(&lines, connection).await?[0] - before;
        Ok((written != 1).then(|| format!("{written} lines tell of one change by hand")))
    }
    .await;
    taken_back(outcome, connection).await
}

/// A function that a document names, by what it is for.
pub async fn function(name: &str, connection: &mut PgConnection) -> Option<String> {
    let outcome = async {
        run("BEGIN", connection).await?;
        match name {
            "update_updated_at" | "update_updated_at_column" => {
                let table = format!(
                    "CREATE TABLE public.tried (id int, updated_at timestamptz);
                     INSERT INTO public.tried VALUES (1, '2001-01-01');
                     CREATE TRIGGER tried BEFORE UPDATE ON public.tried FOR EACH ROW
                     EXECUTE FUNCTION public.{name}()"
                );
                run(&table, connection).await?;
                let kept = kept("tried", connection).await?;
                Ok((!kept).then(|| "sets no time".to_owned()))
            }
            "log_ssot_changes" => {
                let change = "WITH changed AS (UPDATE public.ssot_api_contracts SET version = '9.9.9' RETURNING id)
                    SELECT count(*) FROM changed";
                let changed = numbers(change, connection).await?[0];
                let lines = "SELECT count(*) FROM public.ssot_audit_logs s JOIN public.audit_logs a ON a.id = s.id
                    WHERE s.action = 'OUT_OF_BAND' AND s.new_values ->> 'version' = '9.9.9'";
                let lines = numbers(lines, connection).await?[0];
                let wrong = changed == 0 || lines != changed;
                Ok(wrong.then(|| format!("{lines} lines tell of {changed} changes")))
            }
            _ => Ok(Some("is of no use that is known here".to_owned())),
        }
    }
    .await;
    taken_back(outcome, connection).await
}

#[test]
fn a_condition_is_read() {
    let text =
        "CREATE POLICY p ON t\n FOR ALL TO r\n USING (user_id = current_setting('app.u')::UUID)";
    assert_eq!(condition(text), Some(("user_id", "app.u")));
    assert_eq!(condition("CREATE POLICY p ON t USING (true)"), None);
}
