//! Every table, every role, every verb.

use daybook_tests::TestDatabase;
use daybook_tests::rows::{self, TABLES, organization, person};

use crate::session::{ROLES, Session};

/// What PostgreSQL says to whoever may not.
const DENIED: &str = "42501";

#[tokio::test]
async fn each_role_reads_and_writes_what_it_is_for() {
    let database = TestDatabase::fresh().await;
    rows::put(&mut database.superuser().await).await;
    let mut session = Session::of(&database).await;
    let identities = [(None, None), (Some(person("ada")), Some(organization("ada")))];
    for table in TABLES {
        let (name, mark) = (table.table, table.mark);
        let all = match name {
            "users" | "user_identifiers" | "user_profiles" | "org_members" => 3,
            _ => 2,
        };
        let verbs = [
            ("SELECT", format!("SELECT {mark}::text FROM public.{name}")),
            ("UPDATE", format!("UPDATE public.{name} SET {mark} = {mark} RETURNING {mark}::text")),
            (
                "INSERT",
                format!(
                    "INSERT INTO public.{name} ({mark}) SELECT {mark} FROM public.{name} WHERE false RETURNING 'x'"
                ),
            ),
            ("DELETE", format!("DELETE FROM public.{name} WHERE false RETURNING 'x'")),
            ("TRUNCATE", format!("TRUNCATE public.{name} CASCADE")),
        ];
        for role in ROLES {
            for (verb, statement) in &verbs {
                for (user, of) in identities {
                    let outcome = session.tries(role, user, of, statement).await;
                    let outcome = outcome.map(|rows| rows.len());
                    let expected = match (role, *verb) {
                        ("daybook_projector", "SELECT" | "UPDATE") => Ok(all),
                        ("daybook_projector", "INSERT" | "DELETE") => Ok(0),
                        ("daybook_analyst" | "daybook_auditor", "SELECT") => Ok(all),
                        // Which rows: rows.rs.
                        ("application_role", "SELECT") => continue,
                        _ => Err(DENIED.to_owned()),
                    };
                    assert_eq!(outcome, expected, "{verb} on {name} as {role} for {user:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn the_service_itself_and_the_hashes_of_secrets() {
    let database = TestDatabase::fresh().await;
    let mut superuser = database.superuser().await;
    rows::put(&mut superuser).await;
    let mut session = Session::of(&database).await;
    for table in TABLES {
        let select = format!("SELECT {}::text FROM public.{}", table.mark, table.table);
        let outcome = session.tries("none", Some(person("ada")), None, &select).await;
        assert_eq!(outcome, Err(DENIED.to_owned()), "{} in no role", table.table);
    }
    let hashes: Vec<(String, String)> = sqlx::query_as(
        "SELECT c.relname::text, a.attname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
           AND a.attname LIKE '%\\_hash' AND NOT a.attisdropped",
    )
    .fetch_all(&mut superuser)
    .await
    .unwrap();
    assert!(hashes.len() >= 2, "{hashes:?}");
    for (table, column) in hashes {
        for role in ["application_role", "daybook_analyst", "daybook_auditor"] {
            let select = format!("SELECT {column}::text FROM public.{table}");
            let outcome = session.tries(role, Some(person("ada")), None, &select).await;
            assert_eq!(outcome, Err(DENIED.to_owned()), "{table}.{column} as {role}");
        }
    }
}
