//! Topics of rows: a real Kafka Connect worker makes a MariaDB the same as our tables.

use std::time::Duration;

use daybook_projector::row_topics::{RowOptions, RowTopics};
use daybook_store::NewEvent;
use daybook_tests::{Connect, Kafka, MariaDb};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::bus::connection;
use crate::support::{World, email_claim, event, until};
use crate::{accounts, caught_up, deposits, worker};

const TABLES: [&str; 4] = ["users", "user_identifiers", "accounts", "transactions"];
/// A Java machine starts on a busy machine, and one batch follows another.
const COPIED_WITHIN: Duration = Duration::from_secs(150);

fn publish(world: &World, kafka: &Kafka, prefix: &str) -> (CancellationToken, JoinHandle<()>) {
    let head = world.log.follow(Duration::from_millis(10));
    let options = RowOptions {
        id: Uuid::now_v7(),
        connection: connection(&kafka.bootstrap(), prefix),
        tables: TABLES.map(str::to_owned).to_vec(),
    };
    let rows = RowTopics::new(world.projector.clone(), head.head(), options).unwrap();
    let cancel = CancellationToken::new();
    let token = cancel.clone();
    let task = tokio::spawn(async move {
        rows.run(token).await;
        drop(head);
    });
    (cancel, task)
}

/// Gives a user another address: one row of `user_identifiers` goes, another one comes.
pub(crate) async fn change_email(world: &World, user: Uuid, version: i64, from: &str, to: &str) {
    let address = |name: &str| format!("{name}@example.com");
    let data = json!({
        "from": address(from), "to": address(to), "verification_token_hash": "0".repeat(64),
    });
    let changed = NewEvent {
        claims: vec![email_claim(to)],
        releases: vec![email_claim(from)],
        ..event("identity.user.email_changed", &data)
    };
    world.write(user, "identity.user", version, vec![changed]).await;
}

/// What both have of each table, a line a row.
const SAME: [(&str, &str, &str); 4] = [
    (
        "users",
        "SELECT concat_ws(' ', id, email, status, failed_logins, to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')) FROM users",
        "SELECT concat_ws(' ', id, email, status, failed_logins, date_format(updated_at, '%Y-%m-%d %H:%i:%s.%f')) FROM copy.users",
    ),
    (
        "user_identifiers",
        "SELECT concat_ws(' ', kind, key, user_id) FROM user_identifiers",
        "SELECT concat_ws(' ', kind, `key`, user_id) FROM copy.user_identifiers",
    ),
    (
        "accounts",
        "SELECT concat_ws(' ', id, account_number, currency, balance) FROM accounts",
        "SELECT concat_ws(' ', id, account_number, currency, balance) FROM copy.accounts",
    ),
    (
        "transactions",
        "SELECT concat_ws(' ', id, amount, description) FROM transactions",
        "SELECT concat_ws(' ', id, amount, description) FROM copy.transactions",
    ),
];

async fn copied(world: &World, copy: &MariaDb, connect: &Connect) {
    for (table, ours, theirs) in SAME {
        let mut ours: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(ours.to_owned()))
            .fetch_all(&world.reader)
            .await
            .unwrap();
        ours.sort();
        assert!(!ours.is_empty(), "{table}");
        let theirs = || {
            let mut theirs = copy.try_ask(theirs).unwrap_or_default();
            theirs.sort();
            theirs
        };
        let start = std::time::Instant::now();
        while theirs() != ours {
            assert!(
                start.elapsed() < COPIED_WITHIN,
                "{table} differs: ours {:#?}, theirs {:#?}\n{}",
                &ours[..ours.len().min(3)],
                theirs().into_iter().take(3).collect::<Vec<_>>(),
                connect.said()
            );
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_beside_ours_has_the_same_rows_after_updates_and_deletions() {
    let Some(kafka) = Kafka::shared().await else { return };
    let Some(copy) = MariaDb::start(kafka) else { return };
    let world = World::new().await;
    let prefix = Kafka::prefix("rows");
    let accounts = accounts(&world, 6).await;
    deposits(&world, &accounts, 1, 5).await;
    let bob = world.user("bob", None).await;
    let running = worker(&world, None);
    let (cancel, publishing) = publish(&world, kafka, &prefix);
    let Some(connect) = Connect::start(kafka, &copy, &prefix, &TABLES) else { return };
    caught_up(&world).await;
    copied(&world, &copy, &connect).await;
    let secrets = copy.ask("SHOW COLUMNS FROM copy.users LIKE 'password%'");
    assert!(secrets.is_empty(), "{secrets:?}");

    // Rows change and go, while nobody publishes and while somebody does.
    change_email(&world, bob, 1, "bob", "robert").await;
    deposits(&world, &accounts, 6, 5).await;
    cancel.cancel();
    publishing.await.unwrap();
    change_email(&world, bob, 2, "robert", "bobby").await;
    deposits(&world, &accounts[..3], 11, 5).await;
    let (cancel, publishing) = publish(&world, kafka, &prefix);
    caught_up(&world).await;
    copied(&world, &copy, &connect).await;

    // From the beginning again: the same.
    let topic = format!("{prefix}daybook.rows.user_identifiers");
    let again = daybook_projector::row_topics::publish_again(&world.projector, &topic);
    assert!(again.await.unwrap());
    until("it is published again", Duration::from_secs(30), || async {
        let at: Option<i64> =
            sqlx::query_scalar("SELECT position FROM projector.row_topics WHERE topic = $1")
                .bind(&topic)
                .fetch_optional(&world.projector)
                .await
                .unwrap();
        at == Some(world.log.head().await.unwrap().position)
    })
    .await;
    copied(&world, &copy, &connect).await;
    cancel.cancel();
    publishing.await.unwrap();
    running.stop().await;
}
