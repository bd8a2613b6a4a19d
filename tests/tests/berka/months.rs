//! Month by month: the whole read model as of the last transaction that was imported of each month
//! carries the bank's own balance of every account.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use daybook_tests::{Daybook, Service};
use sqlx::{AssertSqlSafe, PgConnection, Row};

use crate::source::Source;

/// What the log says of an imported transaction, without the project's own code: its place, its
/// account and the bank's number of it.
struct Place {
    position: i64,
    account: String,
    reference: String,
}

pub(crate) async fn carry_the_banks_balances(
    service: &Service,
    folder: &Path,
    database: &mut PgConnection,
    source: &Source,
) {
    let places: Vec<Place> = sqlx::query(
        "SELECT e.position, o.data->>'account_number', e.data->>'reference_number'
         FROM journal.events e
         JOIN journal.events o ON o.stream_id = e.stream_id AND o.version = 1
         WHERE e.event_type LIKE 'banking.account.%' AND e.data ? 'reference_number'
         ORDER BY e.position",
    )
    .fetch_all(&mut *database)
    .await
    .expect("the events")
    .into_iter()
    .map(|row| Place { position: row.get(0), account: row.get(1), reference: row.get(2) })
    .collect();
    let mut last: BTreeMap<&str, i64> = BTreeMap::new();
    for place in &places {
        let month = &source.transactions[&place.reference].date[..7];
        last.insert(month, place.position);
    }
    assert!(last.len() >= 12, "months: {:?}", last.keys());
    for (number, (month, position)) in last.iter().enumerate() {
        let schema = format!("month_{}", month.replace('-', "_"));
        made(service, folder, &schema, *position);
        let mut theirs: HashMap<&str, &str> = HashMap::new();
        for place in &places {
            let told = &source.transactions[&place.reference];
            let is_by_then = told.date[..7] <= **month;
            assert_eq!(is_by_then, place.position <= *position, "{}", place.reference);
            if is_by_then {
                theirs.insert(&place.account, &told.balance_after);
            }
        }
        let ours = sqlx::query(AssertSqlSafe(format!(
            "SELECT account_number, balance::text FROM {schema}.accounts"
        )))
        .fetch_all(&mut *database)
        .await
        .expect("the accounts then");
        assert!(ours.len() >= theirs.len() && theirs.len() > number, "{month}: {}", ours.len());
        for row in ours {
            let (account, balance): (String, String) = (row.get(0), row.get(1));
            // One that was opened and has no transaction yet.
            let expected = theirs.get(account.as_str()).copied().unwrap_or("0.00");
            assert_eq!(balance, expected, "account {account} at the end of {month}");
        }
    }
}

fn made(service: &Service, folder: &Path, schema: &str, position: i64) {
    let position = position.to_string();
    let state = run(
        service,
        folder,
        &["as-of", "--position", &position, "--schema", schema, "--keep", "--output", "json"],
    );
    assert_eq!(state["complete"], true, "{state}");
    assert_eq!(state["position"].to_string(), position, "{state}");
}

/// States at every so many positions are made once, each from the one before, and only the last stay.
pub(crate) fn every_so_often(service: &Service, folder: &Path) {
    let every = || {
        let states =
            run(service, folder, &["as-of", "every", "9000", "--last", "2", "--output", "json"]);
        let states = states.as_array().expect("states").clone();
        states
            .iter()
            .map(|state| state["position"].as_i64().expect("a position"))
            .collect::<Vec<_>>()
    };
    let made = every();
    assert_eq!(made.len(), 2, "{made:?}");
    assert!(made[0] % 9000 == 0 && made[1] == made[0] + 9000, "{made:?}");
    assert!(every().is_empty(), "they are there already");
    let only_one =
        run(service, folder, &["as-of", "every", "9000", "--last", "1", "--output", "json"]);
    assert_eq!(only_one, serde_json::json!([]));
    let states = run(service, folder, &["as-of", "list", "--output", "json"]);
    let kept: Vec<_> = states
        .as_array()
        .expect("states")
        .iter()
        .filter_map(|state| state["schema_name"].as_str().filter(|name| name.starts_with("every_")))
        .collect();
    assert_eq!(kept, [format!("every_{}", made[1])]);
}

/// What the command answers, as JSON.
fn run(service: &Service, folder: &Path, arguments: &[&str]) -> serde_json::Value {
    let (url, admin) = (service.database.service_url(), service.database.admin_url());
    let migrate = format!("migrate_url={admin}");
    let mut all = vec!["--database-url", &url, "--set", &migrate];
    all.extend(arguments);
    let finished = Daybook::run(&mut Daybook::command(folder, &all));
    assert_eq!(finished.code, Some(0), "{finished:?}");
    serde_json::from_str(&finished.stdout).expect("JSON")
}
