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
    let on_behalf: Vec<&str> = if organization == Some(home) { vec![home] } else { vec![] };
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
async fn of_an_organization_that_is_gone_nothing_is_seen_on_its_behalf() {
    let database = TestDatabase::fresh().await;
    let mut superuser = database.superuser().await;
    rows::put(&mut superuser).await;
    sqlx::query("UPDATE public.organizations SET deleted_at = now() WHERE id = $1")
        .bind(organization("ada"))
        .execute(&mut superuser)
        .await
        .unwrap();
    let mut session = Session::of(&database).await;
    let (user, of) = (Some(person("carol")), Some(organization("ada")));
    for (table, count) in [("users", 1), ("org_members", 1)] {
        let select = format!("SELECT 'x' FROM public.{table}");
        let found = session.tries("application_role", user, of, &select).await.unwrap();
        assert_eq!(found.len(), count, "{table}");
    }
}
