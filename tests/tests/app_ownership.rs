//! What gives out the projector's lanes, as an operator sees and changes it.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::Path;
use std::time::{Duration, Instant};

use daybook_tests::{Daybook, Finished, TestDatabase, client, free_port};
use serde_json::Value;

fn tool(database: &TestDatabase, folder: &Path, arguments: &[&str]) -> Finished {
    let url = database.service_url();
    let mut all = vec!["--database-url", url.as_str(), "admin", "ownership"];
    all.extend_from_slice(arguments);
    Daybook::run(&mut Daybook::command(folder, &all))
}

/// Waits until the process answers so, and gives what it says of the lanes.
async fn ready(base: &str, status: u16) -> Value {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Ok(answer) = client().get(format!("{base}/health/ready")).send().await
            && answer.status().as_u16() == status
        {
            let told: Value = answer.json().await.unwrap();
            let parts = told["parts"].as_array().unwrap();
            return parts.iter().find(|part| part["part"] == "ownership").unwrap().clone();
        }
        assert!(Instant::now() < deadline, "not {status} within a minute");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projector_that_cannot_have_lanes_says_what_to_do_and_goes_on_when_it_can() {
    let database = TestDatabase::fresh().await;
    let here = tempfile::tempdir().unwrap();
    let shown = tool(&database, here.path(), &[]);
    assert_eq!((shown.code, shown.stdout.trim()), (Some(0), "lease"), "{shown:?}");
    let switched = tool(&database, here.path(), &["kafka"]);
    assert_eq!(switched.code, Some(0), "{switched:?}");
    assert!(switched.stdout.contains("DAYBOOK_KAFKA_BROKERS"), "{switched:?}");

    let listen = format!("127.0.0.1:{}", free_port());
    let url = database.service_url();
    let arguments = [
        "--database-url",
        &url,
        "serve",
        "--roles",
        "command,query,projector",
        "--listen",
        &listen,
    ];
    let _running =
        Daybook::start(&mut Daybook::command(here.path(), &arguments), here.path(), "serve");
    let base = format!("http://{listen}");
    let told = ready(&base, 503).await;
    assert!(told["detail"].as_str().unwrap().contains("daybook admin ownership lease"), "{told}");

    let switched = tool(&database, here.path(), &["lease"]);
    assert_eq!(switched.code, Some(0), "{switched:?}");
    let told = ready(&base, 200).await;
    assert_eq!(told["detail"], "lanes are given out by lease");
    let mut superuser = database.superuser().await;
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let owned: i64 =
            sqlx::query_scalar("SELECT count(*) FROM projector.lanes WHERE owner IS NOT NULL")
                .fetch_one(&mut superuser)
                .await
                .unwrap();
        if owned == 64 {
            break;
        }
        assert!(Instant::now() < deadline, "{owned} lanes have an owner");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let wrong = tool(&database, here.path(), &["zookeeper"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
}
