//! A real help desk's tickets through real commands: none is refused, and what is counted here is
//! what the source counted.

mod source;

use std::path::Path;
use std::time::{Duration, Instant};

use daybook_tests::{Daybook, Finished, Service, head, naive, shared};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use source::Source;
use sqlx::{PgConnection, Row};

/// Runs a tool on the service's database, beside the service.
fn tool(service: &Service, folder: &Path, arguments: &[&str]) -> Finished {
    let url = service.database.service_url();
    let mut all = vec!["--database-url", url.as_str()];
    all.extend_from_slice(arguments);
    Daybook::run(&mut Daybook::command(folder, &all))
}

fn report(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_ticket_has_the_history_that_the_source_tells() {
    let Some(folder) = shared("data/incidents") else { return };
    let source = Source::read(&folder);
    assert_eq!(source.tickets.len(), 712);
    let here = tempfile::tempdir().expect("a folder");
    let service = Service::start().await;
    let path = folder.to_str().expect("a path");
    let mut database = service.database.superuser().await;

    // Only told, nothing sent.
    let before = head(&mut database).await;
    let dry = tool(&service, here.path(), &["import", "incidents", path, "--dry-run"]);
    assert_eq!(dry.code, Some(0), "{dry:?}");
    assert!(dry.stdout.contains("712 tickets, 4815 changes"), "{}", dry.stdout);
    assert_eq!(head(&mut database).await, before);

    // Killed in the middle, the import goes on where it was.
    let url = service.database.service_url();
    let arguments = ["--database-url", url.as_str(), "import", "incidents", path];
    let mut first =
        Daybook::start(&mut Daybook::command(here.path(), &arguments), here.path(), "import");
    let begun = Instant::now();
    while head(&mut database).await < 1_500 {
        assert!(begun.elapsed() < Duration::from_secs(300), "{}", first.printed());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    first.signal(Signal::SIGKILL);
    let _ = first.wait(Duration::from_secs(10));

    let second = tool(&service, here.path(), &["import", "incidents", path, "--output", "json"]);
    assert_eq!(second.code, Some(0), "{second:?}");
    let told = report(&second);
    assert_eq!(told["wrong"], json!([]), "none is refused");
    let replayed = told["replayed"].as_u64().expect("a number");
    assert!(replayed > 500, "the first run left nothing: {told}");
    the_report_names_what_does_not_fit(&told);

    // Once more: nothing is appended.
    let before = head(&mut database).await;
    let third = tool(&service, here.path(), &["import", "incidents", path, "--output", "json"]);
    assert_eq!(third.code, Some(0), "{third:?}");
    assert_eq!(report(&third)["accepted"], 0);
    assert_eq!(head(&mut database).await, before, "a repeated import appended something");

    counters_are_the_sources(&mut database, &source).await;
    every_change_happened_when_the_source_says(&mut database, &source).await;
    naive::agrees(&service, &[("support.ticket", 3_600), ("identity.user", 200)]).await;
    let checked = tool(&service, here.path(), &["rebuild", "--check"]);
    assert_eq!(checked.code, Some(0), "live and rebuilt tables differ: {checked:?}");
}

fn the_report_names_what_does_not_fit(told: &Value) {
    for check in told["checks"].as_array().expect("a list") {
        assert_eq!((&check["compared"], &check["different"]), (&json!(712), &json!(0)), "{check}");
    }
    let findings: Vec<_> = told["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|finding| {
            let reason = finding["reason"].as_str().expect("a reason");
            (finding["line"].as_u64().expect("a line"), reason.to_owned())
        })
        .collect();
    let of = |word: &str| -> Vec<u64> {
        findings.iter().filter(|(_, reason)| reason.contains(word)).map(|(line, _)| *line).collect()
    };
    // Where the source counts a change of the group that its rows do not have.
    assert_eq!(of("reassignment_count"), [1985, 4082]);
    assert_eq!(of("reopen_count"), [0_u64; 0]);
    assert_eq!(of("sys_mod_count"), [263, 279, 287, 351]);
    assert_eq!(of("sys_updated_at"), [287]);
    assert_eq!(of("opened_at").len(), 4, "{findings:?}");
    let missing = (&told["missing_changes"], &told["with_missing_changes"]);
    assert_eq!(missing, (&json!(2636), &json!(317)));
}

async fn counters_are_the_sources(database: &mut PgConnection, source: &Source) {
    let rows = sqlx::query(
        "SELECT left(title, 10), reopen_count, reassignment_count, status, priority, assigned_group,
                category, resolved_at IS NOT NULL AND closed_at IS NOT NULL
         FROM public.support_tickets",
    )
    .fetch_all(&mut *database)
    .await
    .expect("tickets");
    assert_eq!(rows.len(), source.tickets.len());
    let mut same_reassignments = 0;
    for row in rows {
        let number: String = row.get(0);
        let theirs = source.tickets[&number].last().expect("a change");
        assert_eq!(row.get::<i32, _>(1), theirs.reopen_count, "{number}");
        same_reassignments += i32::from(row.get::<i32, _>(2) == theirs.reassignment_count);
        assert_eq!((row.get::<String, _>(3).as_str(), row.get(7)), ("closed", true), "{number}");
        assert_eq!(row.get::<String, _>(4), theirs.priority, "{number}");
        assert_eq!(row.get::<Option<String>, _>(5), theirs.group, "{number}");
        assert_eq!(row.get::<Option<String>, _>(6), theirs.category, "{number}");
    }
    assert!(same_reassignments >= 710, "only {same_reassignments}");
}

/// A ticket's events are at the times of its rows, each of which has left at least one.
async fn every_change_happened_when_the_source_says(database: &mut PgConnection, source: &Source) {
    let rows = sqlx::query(
        "SELECT left(t.title, 10), array_agg(to_char(e.occurred_at AT TIME ZONE 'UTC', 'DD-MM-YYYY HH24:MI') ORDER BY e.version)
         FROM journal.events e JOIN public.support_tickets t ON t.id = e.stream_id
         GROUP BY t.id, t.title",
    )
    .fetch_all(database)
    .await
    .expect("events");
    assert_eq!(rows.len(), source.tickets.len());
    for row in rows {
        let (number, ours): (String, Vec<String>) = (row.get(0), row.get(1));
        let theirs = &source.tickets[&number];
        let first = &theirs[0];
        assert!([&first.opened_at, &first.updated_at].contains(&&ours[0]), "{number}: {ours:?}");
        // Opening it is all that its first row asks for, if it says that it is new.
        let begins = usize::from(first.state == "New");
        let mut times: Vec<_> = theirs[begins..].iter().map(|change| &change.updated_at).collect();
        let mut ours: Vec<_> = ours[1..].iter().collect();
        assert!(ours.len() >= times.len(), "{number}: {ours:?} {times:?}");
        times.dedup();
        ours.dedup();
        assert_eq!(ours, times, "{number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_lines_are_named_and_nothing_of_their_tickets_is_taken() {
    let here = tempfile::tempdir().expect("a folder");
    source::write_a_few_incidents_with_wrong_lines(here.path());
    let service = Service::start().await;
    let path = here.path().to_str().expect("a path");
    let mut database = service.database.superuser().await;
    let before = head(&mut database).await;
    let arguments = ["import", "incidents", path, "--output", "json"];

    let dry = tool(&service, here.path(), &[&arguments[..], &["--dry-run"]].concat());
    assert_eq!(dry.code, Some(1), "{dry:?}");
    assert_eq!(head(&mut database).await, before);
    for finished in [dry, tool(&service, here.path(), &arguments)] {
        assert_eq!(finished.code, Some(1), "{finished:?}");
        let told = report(&finished);
        let wrong: Vec<_> = told["wrong"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|wrong| {
                (wrong["line"].as_u64().unwrap(), wrong["reason"].as_str().unwrap().to_owned())
            })
            .collect();
        let lines: Vec<_> = wrong.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [4, 6, 7, 8, 9, 10, 12], "{wrong:?}");
        assert!(wrong[0].1.ends_with("nothing of INC2 is taken"), "{wrong:?}");
    }
    // A caller, a ticket opened and closed; of the others not even their good lines.
    assert_eq!(head(&mut database).await, before + 3);

    // Once mended, all of it is taken, and what was taken is not taken again.
    source::write_a_few_incidents(here.path());
    let mended = tool(&service, here.path(), &arguments);
    assert_eq!(mended.code, Some(0), "{mended:?}");
    assert_eq!(report(&mended)["replayed"], 3);
    let checked = tool(&service, here.path(), &["rebuild", "--check"]);
    assert_eq!(checked.code, Some(0), "live and rebuilt tables differ: {checked:?}");
}
