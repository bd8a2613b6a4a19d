//! What `application_role` sees: by table and by identity.

use std::collections::BTreeSet;

use daybook_tests::TestDatabase;
use daybook_tests::rows::{self, TABLES, Whose, organization, person};

use crate::session::Session;

/// Who asks: a person, and the owner of the organization on whose behalf.
type Identity = (Option<&'static str>, Option<&'static str>);

const IDENTITIES: [Identity; 10] = [
    (None, None),
    (None, Some("ada")),
    (Some("ada"), None),
    (Some("ada"), Some("ada")),
    (Some("ada"), Some("bob")),
    (Some("bob"), None),
    (Some("bob"), Some("bob")),
    (Some("carol"), None),
    (Some("carol"), Some("ada")),
    (Some("carol"), Some("bob")),
];

/// Whose rows are seen: by the rule of the table, written down apart from the policies.
fn seen(whose: Whose, (user, organization): Identity) -> BTreeSet<&'static str> {
    let Some(user) = user else {
        return match whose {
            Whose::Everybody => BTreeSet::from(["ada", "bob"]),
            _ => BTreeSet::new(),
        };
    };
    let home = if user == "bob" { "bob" } else { "ada" };
    let own: Vec<&str> = if user == "carol" { vec![] } else { vec![user] };
    let named_another = organization.is_some_and(|named| named != home);
    let on_behalf: Vec<&str> = if named_another { vec![] } else { vec![home] };
    match whose {
        Whose::User => own.into_iter().collect(),
        Whose::Organization => on_behalf.into_iter().collect(),
        Whose::UserAndOrganization => own.into_iter().chain(on_behalf).collect(),
        Whose::Fellows if home == "ada" => BTreeSet::from(["ada", "carol"]),
        Whose::Fellows => BTreeSet::from(["bob"]),
        Whose::Members => BTreeSet::from([home]),
        Whose::Everybody => BTreeSet::from(["ada", "bob"]),
        Whose::Staff => BTreeSet::new(),
    }
}

#[tokio::test]
async fn everyone_sees_what_is_theirs_and_nobody_sees_anything_else() {
    let database = TestDatabase::fresh().await;
    rows::put(&mut database.superuser().await).await;
    let mut session = Session::of(&database).await;
    for table in TABLES {
        let select =
            format!("SELECT DISTINCT left({}::text, 1) FROM public.{}", table.mark, table.table);
        for identity in IDENTITIES {
            let (user, of) = identity;
            let found = session
                .tries("application_role", user.map(person), of.map(organization), &select)
                .await
                .unwrap_or_else(|error| panic!("{}: {error}", table.table));
            let found: BTreeSet<String> = found.into_iter().collect();
            let mut expected = seen(table.whose, identity);
            // Her own membership is a row of Ada's organization.
            if table.table == "org_members" && user == Some("carol") {
                expected.insert("ada");
            }
            let expected: BTreeSet<String> =
                expected.iter().map(|owner| owner[..1].to_owned()).collect();
            assert_eq!(found, expected, "{} as {identity:?}", table.table);
        }
    }
}

#[tokio::test]
async fn whoever_shares_nothing_but_a_deleted_organization_is_not_seen() {
    let database = TestDatabase::fresh().await;
    let mut superuser = database.superuser().await;
    rows::put(&mut superuser).await;
    sqlx::query("UPDATE public.organizations SET deleted_at = now() WHERE id = $1")
        .bind(organization("ada"))
        .execute(&mut superuser)
        .await
        .unwrap();
    let mut session = Session::of(&database).await;
    for (table, count) in [("users", 1), ("user_identifiers", 1), ("organizations", 1)] {
        let select = format!("SELECT 'x' FROM public.{table}");
        let found = session.tries("application_role", Some(person("carol")), None, &select).await;
        assert_eq!(found.unwrap().len(), count, "{table}");
    }
}

#[tokio::test]
async fn what_is_published_is_there_for_every_user_and_for_nobody_without_an_identity() {
    let database = TestDatabase::fresh().await;
    let mut superuser = database.superuser().await;
    rows::put(&mut superuser).await;
    let mut session = Session::of(&database).await;
    for (publish, by_carol) in [
        ("status = 'published', published_at = now()", 1),
        ("deleted_at = now()", 0),
        ("deleted_at = NULL, status = 'archived'", 0),
    ] {
        let update = format!("UPDATE public.posts SET {publish} WHERE user_id = $1");
        sqlx::query(sqlx::AssertSqlSafe(update))
            .bind(person("bob"))
            .execute(&mut superuser)
            .await
            .unwrap();
        for table in ["posts", "comments"] {
            let select = format!("SELECT 'x' FROM public.{table}");
            for (user, count) in [("carol", by_carol), ("bob", 1), ("ada", 1 + by_carol)] {
                let seen = session.tries("application_role", Some(person(user)), None, &select);
                assert_eq!(seen.await.unwrap().len(), count, "{table} {publish} by {user}");
            }
            let seen = session.tries("application_role", None, None, &select).await.unwrap();
            assert!(seen.is_empty(), "{table} {publish} by nobody");
        }
    }
}

#[tokio::test]
async fn what_was_said_and_taken_back_is_for_who_said_it() {
    let database = TestDatabase::fresh().await;
    let mut superuser = database.superuser().await;
    rows::put(&mut superuser).await;
    for update in [
        "UPDATE public.posts SET status = 'published', published_at = now() WHERE user_id = $1",
        "UPDATE public.comments SET deleted_at = now() WHERE user_id = $1",
    ] {
        sqlx::query(update).bind(person("bob")).execute(&mut superuser).await.unwrap();
    }
    let mut session = Session::of(&database).await;
    for (user, posts, comments) in [("carol", 1, 0), ("bob", 1, 1)] {
        for (table, count) in [("posts", posts), ("comments", comments)] {
            let select = format!("SELECT 'x' FROM public.{table}");
            let seen = session.tries("application_role", Some(person(user)), None, &select);
            assert_eq!(seen.await.unwrap().len(), count, "{table} by {user}");
        }
    }
}
