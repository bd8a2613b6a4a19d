//! `datacentre.usage`, the whole way: what servers report.

use std::time::{Duration, Instant};

use chrono::DateTime;
use daybook_tests::Service;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::{METRICS, SERVERS, act, assert_rebuilt_the_same, key_of, provision, provisioning};

/// The first moment of the week 2024-W01.
const MONDAY: i64 = 1_704_067_200;

fn sample(metric: &str, seconds: i64, value: &str) -> Value {
    let at = DateTime::from_timestamp(MONDAY + seconds, 0).expect("an instant").to_rfc3339();
    json!({ "metric_type": metric, "value": value, "unit": "percent", "recorded_at": at })
}

async fn count(database: &mut PgConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(database).await.expect(sql)
}

/// How long it would take here to post 10,000 samples one by one: a statement for each one's row, and
/// one for its row of the trail.
async fn one_by_one(database: &mut PgConnection) -> Duration {
    const TRIED: u32 = 1_000;
    sqlx::raw_sql("CREATE TEMP TABLE one_by_one (id uuid PRIMARY KEY, value numeric); BEGIN")
        .execute(&mut *database)
        .await
        .expect("a table");
    let began = Instant::now();
    for _ in 0..TRIED {
        sqlx::query("INSERT INTO one_by_one VALUES (gen_random_uuid(), 1.5)")
            .execute(&mut *database)
            .await
            .expect("a row");
    }
    sqlx::raw_sql("COMMIT").execute(&mut *database).await.expect("the end");
    began.elapsed() * (20_000 / TRIED)
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_samples_in_one_request_are_posted_together() {
    let service = Service::start().await;
    let server = provision(&service, provisioning("db-1.example.org")).await;
    let mut database = service.database.superuser().await;
    let mut slowest = Duration::ZERO;
    // The first one makes partitions and plans; a server that reports does not do it once only.
    for round in 0..3 {
        let samples: Vec<Value> = (0..10_000)
            .map(|n| sample(&format!("cpu-{round}"), n * 60, &format!("{}.{:017}", n % 100, n)))
            .collect();
        let body = json!({ "samples": samples });
        if round == 0 {
            assert!(body.to_string().len() > 1 << 20, "as large as a plain client would send it");
        }
        let began = Instant::now();
        let taken = act(&service, &server, "record_usage", body).await.accepted();
        let accepted = began.elapsed();
        let path = format!("{METRICS}?server_id={server}&limit=1");
        let _ = service.read_after(&path, &taken["position"]).await.accepted();
        let there = began.elapsed();
        eprintln!("10,000 samples: accepted after {accepted:?}, there after {there:?}");
        let posted = there - accepted;
        if round > 0 {
            slowest = slowest.max(posted);
        }
    }
    // Without optimisation, and beside other builds, how long it takes says nothing.
    if !cfg!(debug_assertions) {
        let bound = one_by_one(&mut database).await.max(Duration::from_secs(1));
        assert!(slowest < bound, "posted after {slowest:?}, {bound:?} is too late");
    }
    assert_eq!(count(&mut database, "SELECT count(*) FROM public.dc_usage_metrics").await, 30_000);
    let audited = "SELECT count(*) FROM public.audit_logs WHERE entity_type = 'dc_usage_metrics' AND action = 'INSERT'";
    assert_eq!(count(&mut database, audited).await, 30_000);
    let too_many: Vec<Value> = (0..10_001).map(|n| sample("cpu", n, "1")).collect();
    let refused = act(&service, &server, "record_usage", json!({ "samples": too_many })).await;
    assert_eq!(refused.refused(422), "sample-count");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_is_there_once_however_often_it_is_delivered() {
    let service = Service::start().await;
    let server = provision(&service, provisioning("db-1.example.org")).await;
    let other = provision(&service, provisioning("db-2.example.org")).await;
    let mut database = service.database.superuser().await;
    // Overlapping deliveries of three weeks, all at once, some of them of another server.
    let delivery = |first: i64, value: String| {
        let samples: Vec<Value> =
            (first..first + 300).map(|n| sample("cpu", n * 3_600, &value)).collect();
        json!({ "samples": samples })
    };
    let asked = join_all((0..12).map(|n| {
        let to = if n % 4 == 3 { &other } else { &server };
        act(&service, to, "record_usage", delivery(n * 20, n.to_string()))
    }));
    let answers: Vec<Value> = asked.await.into_iter().map(|answer| answer.accepted()).collect();
    let last = answers.iter().filter_map(|answer| answer["position"].as_i64()).max();
    let path = format!("{METRICS}?server_id={server}&limit=1000");
    let rows = service.read_after(&path, &json!(last)).await.accepted();
    // Servers' instants: 0 to 200 + 300, and 60 to 220 + 300.
    assert_eq!(rows["data"].as_array().expect("rows").len(), 500);
    assert_eq!(
        count(&mut database, "SELECT count(*) FROM public.dc_usage_metrics").await,
        500 + 460
    );
    let before = count(&mut database, "SELECT max(position) FROM journal.events").await;
    let again = act(&service, &server, "record_usage", delivery(100, "9".into())).await.accepted();
    assert_eq!(again["events"], json!([]), "nothing of it is new");
    assert_eq!(count(&mut database, "SELECT max(position) FROM journal.events").await, before);

    // By weeks, from Monday to Monday.
    let bounds: String = sqlx::query_scalar(
        "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = 'dc_usage_metrics_y2024w01'",
    )
    .fetch_one(&mut database)
    .await
    .expect("the partition");
    assert_eq!(bounds, "FOR VALUES FROM ('2024-01-01 00:00:00+00') TO ('2024-01-08 00:00:00+00')");
    let of_week = "SELECT count(*) FROM public.dc_usage_metrics_y2024w01";
    assert_eq!(count(&mut database, of_week).await, 168 + 108);

    let from = "from=2024-01-08T00:00:00Z&before=2024-01-08T03:00:00Z";
    let path = format!("{METRICS}?server_id={server}&metric_type=cpu&{from}");
    let rows = service.read_after(&path, &json!(before)).await.accepted();
    let instants: Vec<_> =
        rows["data"].as_array().expect("rows").iter().map(|row| &row["recorded_at"]).collect();
    assert_eq!(instants.len(), 3, "{rows}");
    assert!(rows["data"][0]["value"].as_str().expect("text").ends_with(".000000"), "{rows}");
    assert_rebuilt_the_same(&service);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_measured_is_taken_exactly_and_seen_by_who_may() {
    let service = Service::start().await;
    let (ada, bob) = (service.register("ada").await, service.register("bob").await);
    let mut fields = provisioning("db-1.example.org");
    fields["customer_id"] = json!(ada);
    let server = provision(&service, fields).await;
    let values = ["547457000.0", "0.20199999999999999", "-0.0000005", "99999999999999.999999"];
    let mut samples: Vec<Value> =
        (0..).zip(values).map(|(n, value)| sample("io", n, value)).collect();
    samples.push(sample("number", 0, ""));
    samples[4]["value"] = json!(0.25);
    let taken =
        act(&service, &server, "record_usage", json!({ "samples": samples })).await.accepted();
    let path = format!("{METRICS}?server_id={server}&order=asc");
    let rows = service.read_after(&path, &taken["position"]).await.accepted();
    let mut kept: Vec<_> = rows["data"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["value"].as_str().expect("text"))
        .collect();
    kept.sort_unstable();
    assert_eq!(
        kept,
        ["-0.000001", "0.202000", "0.250000", "547457000.000000", "99999999999999.999999"]
    );

    for (value, field) in [("1e3", "value"), ("100000000000000", "value")] {
        let wrong = json!({ "samples": [sample("io", 9, "1"), sample("io", 10, value)] });
        let refused = act(&service, &server, "record_usage", wrong).await;
        assert_eq!(refused.status, 422, "{refused:?}");
        let pointer = format!("/samples/1/{field}");
        assert!(refused.body["errors"].to_string().contains(&pointer), "{refused:?}");
    }
    let early = act(
        &service,
        &server,
        "record_usage",
        json!({ "samples": [sample("io", -MONDAY - 1, "1")] }),
    )
    .await;
    assert_eq!(early.refused(422), "sample-time");
    let unknown = act(
        &service,
        &ada.to_string(),
        "record_usage",
        json!({ "samples": [sample("io", 0, "1")] }),
    )
    .await;
    assert_eq!(unknown.status.as_u16() / 100, 4, "{unknown:?}");

    // Her own server's; whose others' are seen is the policies' matter, and their tests'.
    let (hers, his) = (key_of(&service, ada).await, key_of(&service, bob).await);
    let rows = service.ask(Method::GET, METRICS, &hers, None, &[]).await.accepted();
    assert_eq!(rows["data"].as_array().expect("rows").len(), 5, "{rows}");
    for key in [&hers, &his] {
        let body = Some(json!({ "samples": [sample("io", 99, "1")] }));
        let report = format!("{SERVERS}/{server}/record_usage");
        let refused = service.ask(Method::POST, &report, key, body, &[]).await;
        assert_eq!(refused.refused(403), "forbidden");
    }

    // Once it is retired it reports nothing more, also not into a week that it has begun.
    let _ = act(&service, &server, "decommission", json!({})).await.accepted();
    let late =
        act(&service, &server, "record_usage", json!({ "samples": [sample("io", 77, "1")] })).await;
    assert_eq!(late.refused(409), "server-decommissioned");
    assert_rebuilt_the_same(&service);
}
