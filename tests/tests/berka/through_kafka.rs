//! The same bank with Kafka between: a relay, and projectors of which one is killed and one is
//! stopped in the middle.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use daybook_tests::{Daybook, Kafka, TestDatabase, free_port, head, shared};
use nix::sys::signal::Signal;
use sqlx::PgConnection;
use tempfile::TempDir;

use super::balances_are_the_banks;
use super::source::Source;

/// How long a projector may take for the bank, on a busy machine, after a session of Kafka's group
/// has ended.
const POSTED_WITHIN: Duration = Duration::from_secs(300);

struct Bank<'a> {
    kafka: &'a Kafka,
    prefix: String,
    database: TestDatabase,
    here: TempDir,
}

impl Bank<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let url = self.database.service_url();
        let mut all = vec!["--database-url", url.as_str()];
        all.extend_from_slice(arguments);
        let mut command = Daybook::command(self.here.path(), &all);
        command.envs(self.kafka.settings(&self.prefix));
        command
    }

    fn serve(&self, name: &str, roles: &str) -> Daybook {
        let listen = format!("127.0.0.1:{}", free_port());
        let arguments = ["serve", "--roles", roles, "--listen", &listen];
        Daybook::start(&mut self.command(&arguments), self.here.path(), name)
    }

    fn checked(&self, arguments: &[&str]) {
        let finished = Daybook::run(&mut self.command(arguments));
        assert_eq!(finished.code, Some(0), "{arguments:?}: {finished:?}");
    }
}

async fn posted(database: &mut PgConnection) -> i64 {
    sqlx::query_scalar("SELECT COALESCE(sum(lane_seq), 0)::bigint FROM projector.checkpoints")
        .fetch_one(database)
        .await
        .expect("the checkpoints")
}

async fn until_posted(database: &mut PgConnection, wanted: i64) {
    let deadline = std::time::Instant::now() + POSTED_WITHIN;
    loop {
        let now = posted(database).await;
        if now >= wanted {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "{now} of {wanted} events are posted");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_projectors_killed_and_stopped_in_the_middle_every_balance_is_the_banks() {
    let Some(folder) = shared("data/berka") else { return };
    let Some(kafka) = Kafka::shared().await else { return };
    let source = Source::read(&folder);
    let bank = Bank {
        kafka,
        prefix: Kafka::prefix("berka"),
        database: TestDatabase::fresh().await,
        here: tempfile::tempdir().expect("a folder"),
    };
    let path = folder.to_str().expect("a path");
    let _relay = bank.serve("relay", "command,relay");
    let one = bank.serve("one", "projector");
    let two = bank.serve("two", "projector");
    let mut database = bank.database.superuser().await;
    import(&bank, path, &mut database, (one, two)).await;

    let last = head(&mut database).await;
    until_posted(&mut database, last).await;
    balances_are_the_banks(&mut database, &source).await;
    let mode: String = sqlx::query_scalar("SELECT mode FROM projector.ownership")
        .fetch_one(&mut database)
        .await
        .expect("the mode");
    assert_eq!(mode, "kafka");
    bank.checked(&["rebuild", "--check"]);
    bank.checked(&["reconcile"]);
}

/// Imports, and does what is to be done to the projectors at a third and at two thirds.
async fn import(
    bank: &Bank<'_>,
    path: &str,
    database: &mut PgConnection,
    (one, two): (Daybook, Daybook),
) {
    // The import must find a projector alive, or it would post by itself.
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while alive(database).await < 2 {
        assert!(std::time::Instant::now() < deadline, "{}", one.printed());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let arguments = ["import", "berka", path];
    let mut import =
        Daybook::start(&mut bank.command(&arguments), Path::new(bank.here.path()), "import");
    until_posted(database, 3_000).await;
    one.signal(Signal::SIGKILL);
    until_posted(database, 8_000).await;
    let three = bank.serve("three", "projector");
    two.signal(Signal::SIGSTOP);
    until_posted(database, 12_000).await;
    two.signal(Signal::SIGCONT);
    let ended = import.wait(Duration::from_secs(600));
    assert!(ended.success(), "{}", import.printed());
    let last = head(database).await;
    until_posted(database, last).await;
    drop((one, two, three));
}

async fn alive(database: &mut PgConnection) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM projector.workers WHERE lease_until > clock_timestamp()",
    )
    .fetch_one(database)
    .await
    .expect("the workers")
}
