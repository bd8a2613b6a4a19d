//! Real contracts through real commands: what is wrong with them is written down beside them.

use std::path::Path;

use daybook_tests::{Daybook, Finished, Service, head, naive, shared};
use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::{CONTRACTS, act, assert_rebuilt_the_same, define};

fn tool(service: &Service, arguments: &[&str]) -> Finished {
    let folder = tempfile::tempdir().expect("a folder");
    let url = service.database.service_url();
    let mut all = vec!["--database-url", url.as_str(), "import", "api-contracts"];
    all.extend_from_slice(arguments);
    all.extend_from_slice(&["--output", "json"]);
    Daybook::run(&mut Daybook::command(folder.path(), &all))
}

fn report(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished:?}"))
}

async fn number(database: &mut PgConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(database).await.expect(sql)
}

/// The file, read plainly and without any of the project's code: line, name, version, base URL and
/// description.
fn source(folder: &Path) -> Vec<(u64, Vec<String>)> {
    let text = std::fs::read_to_string(folder.join("contracts.tsv")).expect("the file");
    let fields = |line: &str| line.split('\t').map(str::to_owned).collect::<Vec<_>>();
    (2..).zip(text.lines().skip(1).map(fields)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_contracts_are_registered_and_warned_of() {
    let Some(folder) = shared("data/api-contracts") else { return };
    let source = source(&folder);
    assert_eq!(source.len(), 1_996);
    let too_long: Vec<u64> = source
        .iter()
        .filter(|(_, fields)| fields[1].chars().count() > 50)
        .map(|(line, _)| *line)
        .collect();
    let (plain, bare): (Vec<_>, Vec<_>) = source
        .iter()
        .filter(|(line, _)| !too_long.contains(line))
        .map(|(_, fields)| (fields[3].starts_with("http://"), fields[4].trim().is_empty()))
        .unzip();
    let service = Service::start().await;
    let path = folder.to_str().expect("a path");
    let mut database = service.database.superuser().await;
    let before = head(&mut database).await;

    let dry = tool(&service, &[path, "--dry-run"]);
    assert_eq!((dry.code, head(&mut database).await), (Some(1), before), "{dry:?}");
    let finished = tool(&service, &[path]);
    // Lines that were left out are no success.
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let told = report(&finished);
    for told in [&told, &report(&dry)] {
        let wrong = told["wrong"].as_array().expect("a list");
        let lines: Vec<u64> = wrong.iter().filter_map(|wrong| wrong["line"].as_u64()).collect();
        assert_eq!(lines, too_long);
        let reason = wrong[0]["reason"].as_str().expect("a reason");
        assert_eq!(reason, "version: a version of 1 to 50 characters is allowed, this has 62");
    }
    let checks = told["checks"].as_array().expect("checks");
    assert!(checks.iter().all(|check| check["different"] == 0), "{told}");
    assert_eq!(told["accepted"], json!(source.len() - too_long.len() + 2), "two rules beside them");

    let warned = async |database: &mut PgConnection, rule: &str| -> i64 {
        sqlx::query_scalar(
            "SELECT count(*) FROM public.ssot_audit_logs a, jsonb_array_elements(a.governance) g
             WHERE g->>'rule_name' = $1 AND g->>'severity' = 'warning' AND g->>'passed' = 'false'",
        )
        .bind(rule)
        .fetch_one(database)
        .await
        .expect("the trail")
    };
    let count = |marks: &[bool]| marks.iter().filter(|mark| **mark).count() as i64;
    assert_eq!(warned(&mut database, "https-only").await, count(&plain));
    assert_eq!(warned(&mut database, "description-required").await, count(&bare));
    assert!(count(&plain) > 300 && count(&bare) > 100);
    let rows = "SELECT count(*) FROM public.ssot_api_contracts";
    assert_eq!(number(&mut database, rows).await, 1_988);

    let after = head(&mut database).await;
    let again = report(&tool(&service, &[path]));
    assert_eq!((&again["accepted"], head(&mut database).await), (&json!(0), after));
    live_on(&service, &mut database).await;
    let pairs = [("contracts.api_contract", 1_500), ("contracts.governance_rule", 100)];
    naive::agrees(&service, &pairs).await;
    assert_rebuilt_the_same(&service);
}

/// Gives some of them a history: an alias that comes and may go, another version, an end.
async fn live_on(service: &Service, database: &mut PgConnection) {
    let some: Vec<String> =
        sqlx::query_scalar("SELECT id::text FROM public.ssot_api_contracts ORDER BY id LIMIT 60")
            .fetch_all(&mut *database)
            .await
            .expect("contracts");
    for (n, id) in some.iter().enumerate() {
        let alias = json!({ "alias_name": format!("alias-{n}"), "context": "web", "alias_type": "permanent" });
        let _ = act(service, CONTRACTS, id, "add_alias", alias).await.accepted();
        let revised = json!({ "version": "9999.0.0", "base_url": format!("https://{n}.example/") });
        let _ = act(service, CONTRACTS, id, "revise", revised).await.accepted();
        if n % 2 == 0 {
            let alias: String = sqlx::query_scalar(
                "SELECT data->>'alias_id' FROM journal.events
                 WHERE stream_id = $1::uuid AND event_type = 'contracts.api_contract.alias_added'",
            )
            .bind(id)
            .fetch_one(&mut *database)
            .await
            .expect("the alias");
            let gone = json!({ "alias_id": alias, "reason": "moved" });
            let _ = act(service, CONTRACTS, id, "deactivate_alias", gone).await.accepted();
        }
        if n % 3 == 0 {
            let _ = act(service, CONTRACTS, id, "deprecate", json!({ "reason": "old" })).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_lines_are_named_and_rules_of_ones_own_hold() {
    let folder = tempfile::tempdir().expect("a folder");
    let long = "x".repeat(51);
    let lines = format!(
        "canonical_name\tversion\ttitle\tbase_url\tdescription\tpaths
a\t1.0.0\tA\thttps://a.example\tGood\t1
b\t{long}\tB\thttps://b.example\tToo long\t1
c\t1.0.0\tC\tftp://c.example\tNo web\t1
a\t2.0.0\tA\thttps://a.example\tTwice\t1
d\t1.0.0\tD
e\t1.0.0\tE\thttp://e.example\tPlain\t1
"
    );
    std::fs::write(folder.path().join("contracts.tsv"), lines).expect("a file");
    let service = Service::start().await;
    // Who has a rule of the same name keeps it as it is: here it refuses.
    let _ = define(&service, "https-only", json!({ "kind": "https_only" }), "error").await;
    let finished = tool(&service, &[folder.path().to_str().expect("a path")]);
    let told = report(&finished);
    let mut lines: Vec<u64> = told["wrong"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|wrong| wrong["line"].as_u64())
        .collect();
    lines.sort_unstable();
    assert_eq!(lines, [3, 4, 5, 6, 7], "{told}");
    assert_eq!(told["accepted"], json!(2), "one rule and one contract: {told}");
    let names: Vec<String> =
        sqlx::query_scalar("SELECT canonical_name FROM public.ssot_api_contracts")
            .fetch_all(&mut service.database.superuser().await)
            .await
            .expect("the contracts");
    assert_eq!(names, ["a"]);
}
