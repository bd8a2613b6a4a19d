//! Transfers among ten accounts through two processes, one of which is killed again and again:
//! money is neither made nor lost, and what was acknowledged is there.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::future::join_all;
use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::json;
use tokio::sync::RwLock;
use uuid::Uuid;

use crate::support::{ACCOUNTS, Answer, House, Server};

const ACCOUNTS_COUNT: usize = 10;
const CLIENTS: u64 = 12;
const KILLS: u64 = 5;

/// A small generator: one seed, one run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// An acknowledged transfer.
struct Acknowledged {
    id: Uuid,
    position: i64,
}

async fn ask(
    server: &Server,
    key: &str,
    path: &str,
    id: Uuid,
    fields: &serde_json::Value,
) -> Option<Answer> {
    let request = server
        .request(Method::POST, path, key)
        .header("idempotency-key", id.to_string())
        .timeout(Duration::from_secs(20))
        .json(fields);
    let response = request.send().await.ok()?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = serde_json::from_str(&response.text().await.ok()?).ok()?;
    Some(Answer { status, headers, body })
}

struct Run<'a> {
    steady: &'a Server,
    shaky: &'a RwLock<Server>,
    key: &'a str,
    accounts: &'a [String],
    over: &'a AtomicBool,
    unknown: &'a AtomicU64,
}

/// Transfers until it is over; after each cut connection asks again, with the same id.
async fn client(run: &Run<'_>, mut dice: Dice) -> Vec<Acknowledged> {
    let mut acknowledged = Vec::new();
    while !run.over.load(Ordering::Relaxed) {
        let from = dice.roll(ACCOUNTS_COUNT as u64) as usize;
        let to = (from + 1 + dice.roll(ACCOUNTS_COUNT as u64 - 1) as usize) % ACCOUNTS_COUNT;
        let amount = format!("{}.{:02}", dice.roll(40), 1 + dice.roll(99));
        let fields = json!({ "amount": amount, "to_account_id": run.accounts[to] });
        let path = format!("{ACCOUNTS}/{}/transfer", run.accounts[from]);
        let id = Uuid::now_v7();
        let mut shaky = dice.roll(3) > 0;
        loop {
            let answer = if shaky {
                ask(&*run.shaky.read().await, run.key, &path, id, &fields).await
            } else {
                ask(run.steady, run.key, &path, id, &fields).await
            };
            match answer {
                None => {
                    assert!(shaky, "the steady server does not answer");
                    run.unknown.fetch_add(1, Ordering::Relaxed);
                    shaky = dice.roll(2) > 0;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Some(answer) if answer.status == 200 => {
                    let position = answer.body["position"].as_i64().expect("a position");
                    acknowledged.push(Acknowledged { id, position });
                    break;
                }
                Some(answer) if answer.body["type"] == "/problems/insufficient-funds" => break,
                Some(answer) => {
                    let kind = answer.body["type"].as_str().unwrap_or_default();
                    assert!(
                        ["/problems/contended", "/problems/in-progress"].contains(&kind),
                        "{answer:?}"
                    );
                }
            }
        }
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_is_conserved_and_acknowledged_transfers_are_there() {
    let seed = std::env::var("DAYBOOK_TEST_SEED").ok().and_then(|text| text.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| u64::from(std::process::id()) * 7_919 + 1);
    println!("DAYBOOK_TEST_SEED={seed}");
    let (house, steady) = House::served().await;
    let key = house.admin.key.clone();
    let mut accounts = Vec::new();
    for n in 0..ACCOUNTS_COUNT {
        accounts.push(steady.account(&key, house.admin.id, &format!("K-{n}"), "100.00").await);
    }
    let shaky = RwLock::new(house.serve("shaky-0", &[]).await);
    let (over, unknown) = (AtomicBool::new(false), AtomicU64::new(0));
    let run = Run {
        steady: &steady,
        shaky: &shaky,
        key: &key,
        accounts: &accounts,
        over: &over,
        unknown: &unknown,
    };
    let kill = async {
        let mut dice = Dice(seed);
        for n in 1..=KILLS {
            tokio::time::sleep(Duration::from_millis(300 + dice.roll(900))).await;
            shaky.read().await.process.signal(Signal::SIGKILL);
            let next = house.serve(&format!("shaky-{n}"), &[]).await;
            *shaky.write().await = next;
        }
        over.store(true, Ordering::Relaxed);
    };
    let clients =
        (0..CLIENTS).map(|n| client(&run, Dice(seed ^ (n + 1).wrapping_mul(0x9e37_79b9))));
    let (acknowledged, ()) = futures::join!(join_all(clients), kill);
    let acknowledged: Vec<Acknowledged> = acknowledged.into_iter().flatten().collect();
    check(&house, &acknowledged).await;
    println!(
        "{} transfers acknowledged, {} answers lost",
        acknowledged.len(),
        unknown.load(Ordering::Relaxed)
    );
    assert!(unknown.load(Ordering::Relaxed) > 0, "no kill was felt (seed {seed})");
    assert!(acknowledged.len() > 50, "only {} transfers (seed {seed})", acknowledged.len());
}

async fn check(house: &House, acknowledged: &[Acknowledged]) {
    let movements = house.movements().await;
    let mut transfers: HashMap<Uuid, Vec<_>> = HashMap::new();
    let mut balances: HashMap<Uuid, i64> = HashMap::new();
    for movement in &movements {
        balances.insert(movement.stream, movement.balance_after);
        assert!(movement.balance_after >= 0, "{movement:?}");
        if movement.event_type.contains("transferred") {
            transfers.entry(movement.command).or_default().push(movement);
        }
    }
    assert_eq!(balances.values().sum::<i64>(), 10 * 100_00, "{balances:?}");
    for (command, parts) in &transfers {
        assert_eq!(parts.len(), 2, "{command} is half done, or done twice: {parts:?}");
        assert_eq!(parts[0].signed + parts[1].signed, 0);
        assert_eq!(parts[0].position + 1, parts[1].position);
    }
    for Acknowledged { id, position } in acknowledged {
        let parts =
            transfers.get(id).unwrap_or_else(|| panic!("{id} was acknowledged and is lost"));
        assert_eq!(parts[1].position, *position, "{id}");
    }
    assert_eq!(
        transfers.len(),
        acknowledged.len(),
        "every client asked until it knew: nothing else can be there"
    );
}
