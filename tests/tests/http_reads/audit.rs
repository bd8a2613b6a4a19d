//! The audit trail as a product: whole, by page, by sample, and reconciled with the log.

use std::collections::BTreeSet;

use daybook_domain::context::Actor;
use daybook_domain::values::UserRole;
use daybook_projector::audit::AuditFilter;
use daybook_projector::rebuild::{self, Memory, Reconciled};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::service::Service;

/// What happened: two users, an account each, deposits.
async fn happened(service: &Service) -> (Actor, Uuid) {
    let ada = service.user("ada", UserRole::User).await;
    let bob = service.user("bob", UserRole::User).await;
    let account = service.account(&ada, "DE-1").await;
    let other = service.account(&bob, "DE-2").await;
    for _ in 0..10 {
        service.deposit(account, "1.00").await;
        service.deposit(other, "2.00").await;
    }
    (ada, account)
}

/// The ids of the rows for which `condition` holds, oldest first, as SQL says.
async fn ids(service: &Service, condition: &str) -> Vec<i64> {
    let query =
        format!("SELECT id FROM public.audit_logs WHERE {condition} ORDER BY created_at, id");
    sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(&service.pools.projector).await.unwrap()
}

fn id(row: &Value) -> i64 {
    row["id"].as_i64().unwrap()
}

#[tokio::test]
async fn pages_lines_and_counts_are_the_same_population() {
    let service = Service::start().await;
    happened(&service).await;
    let admin = Actor::system();
    service.get_posted(&admin, "/v1/identity/users").await.ok();
    let all = ids(&service, "true").await;
    assert!(all.len() > 40, "{}", all.len());
    let (mut paged, mut path) = (Vec::new(), "/v1/audit?limit=7&order=asc".to_owned());
    loop {
        let page = service.get(&admin, &path).await.ok().json();
        paged.extend(page["data"].as_array().unwrap().iter().map(id));
        let Some(next) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/audit?limit=7&order=asc&cursor={next}");
        // What comes meanwhile is of no walk that began before.
        service.user(&format!("u{}", paged.len()), UserRole::User).await;
    }
    assert_eq!(paged, all);
    let bound = format!("up_to_position={}", all.last().unwrap() >> 20);
    let lines = [("accept", "application/x-ndjson")];
    let lines = service.get_with(&admin, &format!("/v1/audit?{bound}"), &lines).await.ok();
    let rows: Vec<Value> =
        lines.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.iter().map(id).collect::<Vec<_>>(), all);
    assert!(rows.iter().all(|row| row["command_id"].is_string() && row["position"].is_i64()));
    let sheet = [("accept", "text/csv")];
    let sheet = service.get_with(&admin, &format!("/v1/audit?{bound}"), &sheet).await.ok();
    assert_eq!(sheet.text.lines().count(), 1 + all.len());
    let counted = service.get(&admin, &format!("/v1/audit?count=true&{bound}")).await.ok().json();
    assert_eq!(counted["rows"], all.len());
}

#[tokio::test]
async fn each_filter_leaves_what_sql_says() {
    let service = Service::start().await;
    let (ada, account) = happened(&service).await;
    let admin = Actor::system();
    service.get_posted(&admin, "/v1/identity/users").await.ok();
    let (middle, correlation): (String, Uuid) = sqlx::query_as(
        "SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), correlation_id
         FROM public.audit_logs ORDER BY id OFFSET 25 LIMIT 1",
    )
    .fetch_one(&service.pools.projector)
    .await
    .unwrap();
    for (asked, condition) in [
        (format!("entity={account}"), format!("entity_id = '{account}'")),
        ("table=transactions".to_owned(), "entity_type = 'transactions'".to_owned()),
        (format!("actor={}", ada.id), format!("user_id = '{}'", ada.id)),
        ("action=update".to_owned(), "action = 'UPDATE'".to_owned()),
        (format!("tenant={}", ada.id), "false".to_owned()),
        (format!("from={middle}"), format!("created_at >= '{middle}'")),
        (format!("before={middle}"), format!("created_at < '{middle}'")),
        ("address=192.0.2.7".to_owned(), "ip_address = '192.0.2.7'".to_owned()),
        ("address=192.0.2.0/24".to_owned(), "ip_address << '192.0.2.0/24'".to_owned()),
        ("address=198.51.100.0/24".to_owned(), "false".to_owned()),
        (format!("correlation={correlation}"), format!("correlation_id = '{correlation}'")),
        (format!("stream={account}"), format!("stream_id = '{account}'")),
        (
            "type=banking.account.opened".to_owned(),
            "event_type = 'banking.account.opened'".to_owned(),
        ),
    ] {
        let page = service.get(&admin, &format!("/v1/audit?order=asc&limit=1000&{asked}")).await;
        let found: Vec<i64> = page.ok().json()["data"].as_array().unwrap().iter().map(id).collect();
        assert_eq!(found, ids(&service, &condition).await, "{asked}");
    }
    for wrong in ["entity=x", "address=here", "sample=5", "sample=0&seed=x", "order=up", "who=me"] {
        service.get(&admin, &format!("/v1/audit?{wrong}")).await.refused(400, "malformed");
    }
    service.get(&ada, "/v1/audit").await.refused(403, "forbidden");
    for (asked, pointer, near) in [
        ("table=acounts", "/table", "accounts"),
        ("action=CHANGE", "/action", "OUT_OF_BAND"),
        ("type=banking.account.open", "/type", "banking.account.opened"),
    ] {
        let wrong =
            service.get(&admin, &format!("/v1/audit?{asked}")).await.refused(422, "invalid");
        assert_eq!(wrong["errors"][0]["pointer"], pointer);
        assert!(wrong["detail"].as_str().unwrap().contains(near), "{wrong}");
    }
    let future = "2999-01-01T00:00:00Z";
    let late = service.get(&admin, &format!("/v1/audit?before={future}")).await;
    assert_eq!(late.refused(422, "not-yet")["errors"][0]["pointer"], "/before");
}

/// Rows that are in one of a Parquet file and lines of NDJSON only, and all of the file.
const COMPARED: &str = r#"
import duckdb, json, sys
parquet, lines = sys.argv[1:]
db = duckdb.connect()
db.execute("SET TimeZone = 'UTC'")
columns = {name: kind for name, kind, *_ in db.execute(f"DESCRIBE SELECT * FROM '{parquet}'").fetchall()}
shown = ", ".join(f"json({name})::VARCHAR AS {name}" if name.endswith("_values") else name for name in columns)
theirs = f"SELECT {shown} FROM read_ndjson('{lines}', columns = {columns})"
ours = f"SELECT {shown} FROM read_parquet('{parquet}')"
count = lambda query: db.execute(f"SELECT count(*) FROM ({query})").fetchone()[0]
print(json.dumps([count(ours), count(f"({ours}) EXCEPT ALL ({theirs})"), count(f"({theirs}) EXCEPT ALL ({ours})"), columns]))
"#;

#[tokio::test]
async fn duckdb_finds_in_the_parquet_file_what_the_lines_say() {
    let Some(python) = daybook_tests::python_with_duckdb() else { return };
    let service = Service::start().await;
    let (_, account) = happened(&service).await;
    // More than one row group.
    let deposits = "INSERT INTO public.audit_logs (id, user_id, action, entity_type, entity_id, created_at, position, new_values)
        SELECT -1000 - n, $1, 'UPDATE', 'accounts', $1, now(), NULL, jsonb_build_object('n', n, 'text', 'a → \"b\"\n') FROM generate_series(1, 40000) n";
    let mut superuser = service.database.superuser().await;
    let quietly = "SET session_replication_role = replica";
    sqlx::raw_sql(quietly).execute(&mut superuser).await.unwrap();
    sqlx::query(deposits).bind(account).execute(&mut superuser).await.unwrap();
    let admin = Actor::system();
    service.get_posted(&admin, "/v1/identity/users").await.ok();
    let up_to = service.log.head().await.unwrap().position;
    let path = format!("/v1/audit?up_to_position={up_to}");
    let lines = [("accept", "application/x-ndjson")];
    let lines = service.get_with(&admin, &path, &lines).await.ok();
    let sheet = [("accept", "application/vnd.apache.parquet")];
    let sheet = service.get_with(&admin, &path, &sheet).await.ok();
    assert_eq!(sheet.headers["content-type"], "application/vnd.apache.parquet");
    assert_eq!(sheet.position(), lines.position());
    let folder = tempfile::tempdir().unwrap();
    let (of_sheet, of_lines) = (folder.path().join("a.parquet"), folder.path().join("a.ndjson"));
    std::fs::write(&of_sheet, &sheet.bytes).unwrap();
    std::fs::write(&of_lines, &lines.bytes).unwrap();
    let output = std::process::Command::new(python)
        .args(["-c", COMPARED])
        .args([&of_sheet, &of_lines])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let count = lines.text.lines().count();
    assert!(count > 40_000, "{count}");
    assert_eq!((&found[0], &found[1], &found[2]), (&count.into(), &0.into(), &0.into()), "{found}");
    assert_eq!((&found[3]["user_id"], &found[3]["id"]), (&"UUID".into(), &"BIGINT".into()));

    // Who took it is written down, before and after.
    let reads: Vec<(String, Option<i64>)> = sqlx::query_as(
        "SELECT phase::text, rows FROM journal.reads WHERE what = 'audit' ORDER BY id DESC LIMIT 2",
    )
    .fetch_all(&mut service.database.superuser().await)
    .await
    .unwrap();
    let rows = i64::try_from(count).unwrap();
    assert_eq!(reads, [("ended".to_owned(), Some(rows)), ("begun".to_owned(), None)]);
    // Without one, nothing leaves.
    sqlx::raw_sql("REVOKE INSERT ON journal.reads FROM daybook_projector, daybook_writer, PUBLIC")
        .execute(&mut service.database.superuser().await)
        .await
        .unwrap();
    let sheet = [("accept", "application/vnd.apache.parquet")];
    service.get_with(&admin, &path, &sheet).await.refused(503, "unavailable");
}

#[tokio::test]
async fn a_seed_draws_the_same_rows_again() {
    let service = Service::start().await;
    happened(&service).await;
    let admin = Actor::system();
    service.get_posted(&admin, "/v1/identity/users").await.ok();
    let all = ids(&service, "true").await;
    let bound = all.last().unwrap() >> 20;
    let mut drawn = Vec::new();
    for seed in ["2026-q1", "2026-q1", "2026-q2"] {
        let path = format!("/v1/audit?sample=12&seed={seed}&up_to_position={bound}");
        let rows = service.get(&admin, &path).await.ok().json();
        let ids: Vec<i64> = rows["data"].as_array().unwrap().iter().map(id).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 12);
        assert!(ids.iter().all(|id| all.contains(id)));
        drawn.push(ids);
        // A row that is of no earlier position is of no sample drawn up to there.
        service.user(&format!("s{}", drawn.len()), UserRole::User).await;
        service.get_posted(&admin, "/v1/identity/users").await.ok();
    }
    assert_eq!(drawn[0], drawn[1]);
    assert_ne!(drawn[0], drawn[2]);
}

async fn reconcile(service: &Service, filter: &AuditFilter) -> Reconciled {
    let memory = Memory { kept: 3, gathered: 10 };
    let pool = &service.pools.projector;
    rebuild::reconcile(pool, &service.log, memory, filter, &|_| ()).await.unwrap()
}

#[tokio::test]
async fn the_trail_reconciles_with_the_log_until_somebody_touches_it() {
    let service = Service::start().await;
    let (_, account) = happened(&service).await;
    let admin = Actor::system();
    service.get_posted(&admin, "/v1/identity/users").await.ok();
    let everything = AuditFilter::default();
    let of_account = AuditFilter { stream: Some(account), ..AuditFilter::default() };
    let found = reconcile(&service, &everything).await;
    assert!(found.is_same() && found.examples.is_empty(), "{found:?}");
    let all = ids(&service, "true").await;
    assert_eq!(found.trail(), i64::try_from(all.len()).unwrap());
    assert_eq!(found.events, service.log.head().await.unwrap().position.unsigned_abs());
    assert!(reconcile(&service, &of_account).await.is_same());

    // Past the triggers that would write it down.
    let mut superuser = service.database.superuser().await;
    let tamper = format!(
        "SET session_replication_role = replica;
         UPDATE public.audit_logs SET user_id = NULL WHERE id = {};
         DELETE FROM public.audit_logs WHERE id = {};
         INSERT INTO public.audit_logs (id, action, entity_type, created_at) VALUES (5, 'UPDATE', 'users', now())",
        all[3], all[7]
    );
    sqlx::raw_sql(AssertSqlSafe(tamper)).execute(&mut superuser).await.unwrap();
    let found = reconcile(&service, &everything).await;
    assert!(!found.is_same());
    let said: Vec<(i64, &str)> =
        found.examples.iter().map(|row| (row.id, row.what.as_str())).collect();
    let mut wanted =
        vec![(5, "is not what any event did"), (all[3], "is different"), (all[7], "is missing")];
    wanted.sort_unstable();
    assert_eq!(said, wanted);
}
