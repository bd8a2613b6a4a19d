//! Real metrics through real commands: each sample once, to the last decimal that is kept.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use daybook_tests::{Daybook, Finished, Service, head, naive, shared};
use nix::sys::signal::Signal;
use serde_json::Value;
use sqlx::Row as _;

use crate::assert_rebuilt_the_same;

fn tool(service: &Service, arguments: &[&str]) -> Finished {
    let folder = tempfile::tempdir().expect("a folder");
    let url = service.database.service_url();
    let mut all = vec!["--database-url", url.as_str(), "import", "cloudwatch"];
    all.extend_from_slice(arguments);
    all.extend_from_slice(&["--output", "json"]);
    Daybook::run(&mut Daybook::command(folder.path(), &all))
}

fn report(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished:?}"))
}

/// The files, read plainly and without any of the project's code: by server, the value of each time.
fn source(folder: &Path) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut servers = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        let text = std::fs::read_to_string(&path).expect("a file");
        let lines = text.lines().skip(1).filter_map(|line| line.split_once(','));
        let host = name.rsplit('_').next().expect("a host").to_owned();
        let samples = lines.map(|(at, value)| (at.to_owned(), value.to_owned())).collect();
        servers.insert(host, samples);
    }
    servers
}

#[tokio::test(flavor = "multi_thread")]
async fn all_metrics_are_taken_once_and_exactly() {
    let Some(folder) = shared("data/cloudwatch") else { return };
    let source = source(&folder);
    let service = Service::start().await;
    let path = folder.to_str().expect("a path");
    let mut database = service.database.superuser().await;
    let before = head(&mut database).await;

    let dry = tool(&service, &[path, "--dry-run"]);
    assert_eq!((dry.code, head(&mut database).await), (Some(0), before), "{dry:?}");

    // Killed in the middle, the import goes on where it was.
    let here = tempfile::tempdir().expect("a folder");
    let url = service.database.service_url();
    let arguments = ["--database-url", url.as_str(), "import", "cloudwatch", path];
    let mut first =
        Daybook::start(&mut Daybook::command(here.path(), &arguments), here.path(), "import");
    let begun = Instant::now();
    while head(&mut database).await < before + 3 {
        assert!(begun.elapsed() < Duration::from_secs(300), "{}", first.printed());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    first.signal(Signal::SIGKILL);
    let _ = first.wait(Duration::from_secs(10));

    let second = tool(&service, &[path]);
    assert_eq!(second.code, Some(0), "{second:?}");
    let told = report(&second);
    assert_eq!(told["wrong"], serde_json::json!([]));
    let repeated = told["passed_over"].as_array().expect("a list");
    assert_eq!(repeated.len(), 11, "{told}");
    assert!(repeated.iter().all(|line| line["file"] == "ec2_disk_write_bytes_1ef3de.csv"));
    let (accepted, replayed) = (&told["accepted"], &told["replayed"]);
    let sent = accepted.as_u64().expect("a number") + replayed.as_u64().expect("a number");
    assert_eq!(sent, 5 + 4 * 3 + 3, "five servers, and 2,000 samples a command: {told}");
    assert!(replayed.as_u64() > Some(0), "the first run left nothing: {told}");

    let after = head(&mut database).await;
    let third = tool(&service, &[path]);
    assert_eq!((third.code, &report(&third)["accepted"]), (Some(0), &0.into()), "{third:?}");
    assert_eq!(head(&mut database).await, after, "a repeated import appended something");

    let rows = sqlx::query(
        "SELECT split_part(split_part(s.hostname, '.', 1), '-', 2), to_char(m.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), m.value::text
         FROM public.dc_usage_metrics m JOIN public.dc_servers s ON s.id = m.server_id",
    )
    .fetch_all(&mut database)
    .await
    .expect("the samples");
    assert_eq!((source.len(), rows.len()), (5, 20_847));
    for row in rows {
        let (host, at, kept): (String, String, f64) =
            (row.get(0), row.get(1), row.get::<String, _>(2).parse().expect("a number"));
        let measured: f64 = source[&host][&at].parse().expect("a number");
        assert!((measured - kept).abs() <= 0.000_000_500_001, "{host} {at}: {measured}, {kept}");
    }
    naive::agrees(&service, &[("datacentre.server", 150), ("datacentre.usage", 150)]).await;
    assert_rebuilt_the_same(&service);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_lines_are_named_and_the_rest_is_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let lines = "timestamp,value
2014-02-14 14:30:00,1.5
2014-02-14 14:30:00,1.5
2014-02-14 14:30:00,1.6
2014-02-30 14:30:00,1
2014-02-14 14:40:00,much
2014-02-14 14:45:00,1,2
2014-02-14 14:50:00,100000000000000
2014-02-14 14:55:00,2
";
    std::fs::write(folder.path().join("ec2_cpu_utilization_ab12.csv"), lines).expect("a file");
    std::fs::write(folder.path().join("notes.csv"), "not,a,metric\n").expect("a file");
    let service = Service::start().await;
    let path = folder.path().to_str().expect("a path");
    for arguments in [&[path, "--dry-run"][..], &[path]] {
        let finished = tool(&service, arguments);
        assert_eq!(finished.code, Some(1), "{finished:?}");
        let told = report(&finished);
        let of = |list: &str| -> Vec<u64> {
            let lines = told[list].as_array().expect("a list").iter();
            lines.map(|wrong| wrong["line"].as_u64().expect("a line")).collect()
        };
        assert_eq!((of("wrong"), of("passed_over")), (vec![4, 5, 6, 7, 8], vec![3]), "{told}");
    }
    let values: Vec<String> =
        sqlx::query_scalar("SELECT value::text FROM public.dc_usage_metrics ORDER BY recorded_at")
            .fetch_all(&mut service.database.superuser().await)
            .await
            .expect("the samples");
    assert_eq!(values, ["1.500000", "2.000000"]);
}
