//! Invariants 1 to 6 and 8 under 64 writers in two processes, and when one of them is killed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use crate::check;
use crate::support::{ACTOR, TestLog, say};
use crate::writers::{Acknowledged, Dice, another_process, contestant, heard, seed, thirty_two};

async fn find(test: &TestLog, acknowledged: &[Acknowledged]) {
    let rows: Vec<(Uuid, i64, i32)> = {
        let pool = test.pool("daybook_writer");
        sqlx::query_as("SELECT id, position, events FROM journal.commands WHERE scope = $1")
            .bind(ACTOR)
            .fetch_all(&pool)
            .await
            .unwrap()
    };
    let durable: HashMap<Uuid, (i64, i64)> =
        rows.into_iter().map(|(id, position, events)| (id, (position, events.into()))).collect();
    for (id, position, events) in acknowledged {
        assert_eq!(
            durable.get(id),
            Some(&(*position, *events)),
            "acknowledged, and not there: {id}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_write_one_order() {
    let test = TestLog::new().await;
    let seed = seed();
    let mut other = another_process(&test, "write", seed ^ 1);
    let mine = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&mine);
    let (theirs, ()) = tokio::join!(
        heard(&mut other),
        thirty_two(&test, seed, 30, move |answer| told.lock().unwrap().push(answer))
    );
    assert!(other.wait().await.unwrap().success());
    assert_eq!((theirs.len(), mine.lock().unwrap().len()), (32 * 30, 32 * 30));
    check::invariants(&test).await;
    find(&test, &theirs).await;
    let mine = mine.lock().unwrap().clone();
    find(&test, &mine).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_kill() {
    let test = TestLog::new().await;
    let mut dice = Dice::new(seed());
    let mut total = 0;
    for round in 0..6 {
        let mut process = another_process(&test, "write for ever", dice.roll(1 << 40));
        let wait = Duration::from_millis(150 + dice.roll(700));
        let id = process.id().expect("it runs");
        let (acknowledged, ()) = tokio::join!(heard(&mut process), async {
            tokio::time::sleep(wait).await;
            // SIGKILL, at whatever it is doing.
            assert!(
                std::process::Command::new("kill")
                    .args(["-9", &id.to_string()])
                    .status()
                    .unwrap()
                    .success()
            );
        });
        process.wait().await.unwrap();
        total += acknowledged.len();
        say(&format!("round {round}: killed after {wait:?}, {} acknowledged", acknowledged.len()));
        // What it had sent may still be running for a moment.
        let (appender, _) = test.appender();
        appender.append(crate::support::one(Uuid::now_v7(), 0)).await.unwrap();
        find(&test, &acknowledged).await;
        check::invariants(&test).await;
    }
    assert!(total > 0, "nothing was ever acknowledged before the kill");
}

/// What the log says happened, judged in its order.
#[derive(Default)]
struct Model {
    keys: HashMap<String, Uuid>,
    open: HashMap<String, bool>,
    holds: HashMap<String, Vec<Uuid>>,
}

impl Model {
    fn judge(&mut self, position: i64, stream: Uuid, data: &Value) {
        let on = data["on"].as_str().unwrap_or_default().to_owned();
        match data["did"].as_str().unwrap_or_default() {
            "take" => {
                let holder = *self.keys.entry(on.clone()).or_insert(stream);
                assert_eq!(holder, stream, "{position}: {on} was taken from its holder");
            }
            "release" => {
                assert_eq!(
                    self.keys.get(&on).copied().unwrap_or(stream),
                    stream,
                    "{position}: not its to release"
                );
                self.keys.remove(&on);
            }
            "refer" => assert_eq!(
                self.open.get(&on),
                Some(&true),
                "{position}: refers to what is not open"
            ),
            "hold" => {
                assert_eq!(self.open.get(&on), Some(&true), "{position}: holds what is not open");
                let holders = self.holds.entry(on).or_default();
                if !holders.contains(&stream) {
                    holders.push(stream);
                }
            }
            "unhold" => self.holds.entry(on).or_default().retain(|holder| *holder != stream),
            "open" => drop(self.open.insert(on, true)),
            "close" => {
                assert_eq!(
                    self.holds.get(&on).map_or(0, Vec::len),
                    0,
                    "{position}: closed while held"
                );
                assert_eq!(self.open.insert(on, false), Some(true), "{position}: closed twice");
            }
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn races_of_two_processes_have_one_history() {
    let test = TestLog::new().await;
    let seed = seed();
    let mut other = another_process(&test, "contest", seed ^ 0xABCD);
    let (mine, again, ended) = tokio::join!(
        contestant(&test, seed, 250),
        contestant(&test, seed ^ 0x77, 250),
        other.wait()
    );
    assert!(ended.unwrap().success());
    say(&format!("won and lost: {mine:?} {again:?}"));
    assert!(mine[0] > 20 && mine[1] > 20, "no race: {mine:?}");
    check::invariants(&test).await;
    let mut model = Model::default();
    let page = test.log().page(0, &daybook_store::Filter::default(), 10_000).await.unwrap();
    for event in &page.events {
        let data = serde_json::from_str(event.data.get()).unwrap();
        model.judge(event.position, event.stream_id, &data);
    }
    let claims = test.pool("daybook_writer");
    let kept: Vec<(String, Uuid)> =
        sqlx::query_as("SELECT key, holder FROM journal.claims WHERE holder IS NOT NULL")
            .fetch_all(&claims)
            .await
            .unwrap();
    assert_eq!(kept.into_iter().collect::<HashMap<_, _>>(), model.keys);
}
