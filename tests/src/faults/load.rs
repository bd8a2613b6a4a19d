//! Clients that move money, and count what they were told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fastrand::Rng;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::Plan;
use super::house::House;

/// How many accounts a client has, to begin with.
const ACCOUNTS: usize = 4;
/// Of a hundred answered commands, how many are sent once more.
const REPEATED: u8 = 12;
/// How long a command may go without any answer.
const GIVE_UP: Duration = Duration::from_secs(180);

/// A command that was accepted, as its client was told.
#[derive(Debug, Clone)]
pub(super) struct Accepted {
    pub(super) id: Uuid,
    pub(super) position: i64,
    pub(super) events: i64,
}

/// A command that a rule refused, as its client was told.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    pub(super) id: Uuid,
    /// What it would have done to balances.
    pub(super) moves: Vec<(Uuid, i64)>,
    /// Whether it was sent once, and answered: then it cannot have been accepted as well. One whose
    /// first sending got no answer may still be decided on by who was stopped with it.
    pub(super) certain: bool,
}

/// What all clients were told.
#[derive(Debug, Default)]
pub(super) struct Sent {
    pub(super) accepted: Vec<Accepted>,
    pub(super) refused: Vec<Refused>,
    pub(super) retried: u64,
    pub(super) repeated: u64,
    /// In cents.
    pub(super) balances: BTreeMap<Uuid, i64>,
    pub(super) broken: Vec<String>,
}

/// Clients at work.
pub(super) struct Load {
    running: JoinSet<()>,
    sent: Arc<Mutex<Sent>>,
    left: Arc<AtomicU64>,
}

impl Load {
    /// Lets the clients begin.
    pub(super) async fn start(house: &House, plan: &Plan) -> Self {
        let sent = Arc::new(Mutex::new(Sent::default()));
        let left = Arc::new(AtomicU64::new(plan.commands));
        let addresses: Arc<[String]> = house.addresses().await.into();
        let mut running = JoinSet::new();
        for number in 0..plan.clients {
            let client = Customer {
                http: crate::client(),
                addresses: Arc::clone(&addresses),
                key: house.key.clone(),
                owner: house.owner,
                random: Rng::with_seed(plan.seed.wrapping_mul(1_000_003).wrapping_add(number)),
                ways: Rng::with_seed(number),
                accounts: Vec::new(),
                sent: Arc::clone(&sent),
            };
            running.spawn(client.work(Arc::clone(&left)));
        }
        Self { running, sent, left }
    }

    /// Whether commands are still to be sent.
    pub(super) fn goes_on(&self) -> bool {
        self.left.load(Ordering::SeqCst) > 0
    }

    /// Waits until every command has its answer.
    pub(super) async fn finish(mut self) -> Sent {
        while let Some(ended) = self.running.join_next().await {
            ended.expect("a client does not panic");
        }
        std::mem::take(&mut *self.sent.lock().await)
    }
}

struct Customer {
    http: Client,
    addresses: Arc<[String]>,
    key: String,
    owner: Uuid,
    random: Rng,
    /// What is drawn for each try, of which there are as many as it takes.
    ways: Rng,
    accounts: Vec<Uuid>,
    sent: Arc<Mutex<Sent>>,
}

/// A command, and what it does to balances once it is accepted.
struct Order {
    path: String,
    body: Value,
    opens: Option<Uuid>,
    moves: Vec<(Uuid, i64)>,
}

/// What a command was answered with at last.
struct Answer {
    status: StatusCode,
    body: Value,
    /// Whether it was sent once only.
    at_once: bool,
}

impl Customer {
    async fn work(mut self, left: Arc<AtomicU64>) {
        while left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok() {
            let order = self.order();
            let id = Uuid::from_u128(self.random.u128(..));
            let Some(first) = self.until_answered(&order, id).await else { return };
            self.count(&order, id, &first).await;
            if first.status.is_success() && self.random.u8(0..100) < REPEATED {
                let Some(again) = self.until_answered(&order, id).await else { return };
                self.compare(id, &first, &again).await;
            }
        }
    }

    fn order(&mut self) -> Order {
        if self.accounts.len() < ACCOUNTS || self.random.u16(..) < 300 {
            let id = Uuid::from_u128(self.random.u128(..));
            let body = json!({
                "id": id, "user_id": self.owner, "account_name": "Household", "account_type": "checking",
                "account_number": format!("F{:024x}", id.as_u128() >> 32), "currency": "EUR",
            });
            let path = "/v1/banking/accounts".to_owned();
            return Order { path, body, opens: Some(id), moves: vec![(id, 0)] };
        }
        let account = self.accounts[self.random.usize(..self.accounts.len())];
        let cents = self.random.i64(1..10_000);
        let amount = format!("{}.{:02}", cents / 100, cents % 100);
        let act = |name: &str| format!("/v1/banking/accounts/{account}/{name}");
        match self.random.u8(0..10) {
            0..5 => Order {
                path: act("deposit"),
                body: json!({ "amount": amount }),
                opens: None,
                moves: vec![(account, cents)],
            },
            5..8 => Order {
                path: act("withdraw"),
                body: json!({ "amount": amount }),
                opens: None,
                moves: vec![(account, -cents)],
            },
            _ => {
                let to = self.accounts[self.random.usize(..self.accounts.len())];
                Order {
                    path: act("transfer"),
                    body: json!({ "amount": amount, "to_account_id": to }),
                    opens: None,
                    moves: vec![(account, -cents), (to, cents)],
                }
            }
        }
    }

    /// Sends it again, under its id, until there is an answer that says what became of it.
    async fn until_answered(&mut self, order: &Order, id: Uuid) -> Option<Answer> {
        let begun = tokio::time::Instant::now();
        let mut at_once = true;
        loop {
            let address = &self.addresses[self.ways.usize(..self.addresses.len())];
            let asked = self
                .http
                .post(format!("http://{address}{}", order.path))
                .bearer_auth(&self.key)
                .header("idempotency-key", id.to_string())
                .json(&order.body)
                .timeout(Duration::from_secs(8))
                .send()
                .await;
            if let Ok(answer) = asked {
                let status = answer.status();
                if let Ok(body) = answer.json::<Value>().await
                    && is_final(status, &body)
                {
                    return Some(Answer { status, body, at_once });
                }
            }
            if begun.elapsed() > GIVE_UP {
                let broken = format!("{id}: no answer to {} in {GIVE_UP:?}", order.path);
                self.sent.lock().await.broken.push(broken);
                return None;
            }
            at_once = false;
            self.sent.lock().await.retried += 1;
            let pause = Duration::from_millis(self.ways.u64(20..200));
            tokio::time::sleep(pause).await;
        }
    }

    async fn count(&mut self, order: &Order, id: Uuid, answer: &Answer) {
        let Answer { status, body, at_once } = answer;
        let mut sent = self.sent.lock().await;
        if status.is_success() {
            let position = body["position"].as_i64().unwrap_or_default();
            let events = body["events"].as_array().map_or(0, Vec::len);
            let events = i64::try_from(events).unwrap_or_default();
            sent.accepted.push(Accepted { id, position, events });
            for (account, cents) in &order.moves {
                *sent.balances.entry(*account).or_default() += cents;
            }
            self.accounts.extend(order.opens);
        } else if *status == StatusCode::CONFLICT || *status == StatusCode::UNPROCESSABLE_ENTITY {
            sent.refused.push(Refused { id, moves: order.moves.clone(), certain: *at_once });
        } else {
            sent.broken.push(format!("{id}: {} was answered {status}: {body}", order.path));
        }
    }

    /// An accepted command, sent again, is answered as it was.
    async fn compare(&self, id: Uuid, first: &Answer, again: &Answer) {
        let mut sent = self.sent.lock().await;
        sent.repeated += 1;
        let part = |answer: &Value| {
            ["stream_id", "version", "position", "events"].map(|name| answer[name].clone())
        };
        if !again.status.is_success() || part(&first.body) != part(&again.body) {
            let (first, status, again) = (&first.body, again.status, &again.body);
            sent.broken.push(format!("{id}: first {first}, then {status} {again}"));
        }
    }
}

/// An answer that says what became of the command; the others say nothing, or to ask again.
fn is_final(status: StatusCode, body: &Value) -> bool {
    let under_way = body["type"].as_str().is_some_and(|kind| kind.ends_with("/in-progress"));
    !status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS && !under_way
}
