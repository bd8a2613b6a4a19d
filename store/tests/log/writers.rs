//! Writers that race, in this process or another, and say what they were answered.

use std::process::Stdio;

use daybook_store::{AppendError, Appender, ClaimKey, Guard, HoldTaken, Life, NewEvent};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use uuid::Uuid;

use crate::support::{TestLog, event, one, request, say, write};

/// A small generator of numbers that one seed replays.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % below
    }
}

/// The seed that `DAYBOOK_TEST_SEED` gives, or one of the moment; printed.
pub(crate) fn seed() -> u64 {
    let given = std::env::var("DAYBOOK_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed =
        given.unwrap_or_else(|| u64::from(std::process::id()) ^ Uuid::now_v7().as_u64_pair().0);
    say(&format!("DAYBOOK_TEST_SEED={seed}"));
    seed
}

/// The nth stream that all writers share.
pub(crate) fn shared(n: u64) -> Uuid {
    Uuid::from_u128(0xF000 + u128::from(n))
}

/// What a writer was answered: `id position events`.
pub(crate) type Acknowledged = (Uuid, i64, i64);

/// Appends `count` requests: to hot streams at versions that others take too, to fresh streams,
/// over two streams at once, and some of them twice.
pub(crate) async fn writer(
    appender: Appender,
    seed: u64,
    count: usize,
    heard: impl Fn(Acknowledged),
) {
    let mut dice = Dice::new(seed);
    let mut versions = [0_i64; 6];
    let mut done = 0;
    while done < count {
        let hot = dice.roll(6);
        let at = usize::try_from(hot).unwrap();
        let mut next = one(shared(hot), versions[at]);
        if dice.roll(2) == 0 {
            let both = vec![event("test.thing.happened"), event("test.thing.happened")];
            next.writes.push(write(Uuid::now_v7(), 0, both));
        }
        let answer = loop {
            match appender.append(next.clone()).await {
                Ok(answer) => break answer,
                Err(AppendError::Conflict { actual, .. }) => {
                    next.writes[0].expected_version = actual
                }
                Err(AppendError::Moved) => {}
                Err(error) => panic!("{error}"),
            }
        };
        versions[at] = answer.version;
        heard((next.command.id, answer.position, answer.events));
        if dice.roll(4) == 0 {
            let again = appender.append(next).await.expect("the first answer again");
            assert!(again.replayed);
            assert_eq!(again.position, answer.position);
        }
        done += 1;
    }
}

/// One step of the race for keys, and for streams that open, close, are referred to and held.
/// The event's data says what it did, so that the log can be judged by a model.
pub(crate) fn contest(dice: &mut Dice, heads: &[i64; 4]) -> (usize, daybook_store::AppendRequest) {
    let at = usize::try_from(dice.roll(4)).unwrap();
    let me = shared(100 + u64::try_from(at).unwrap());
    let target = shared(200 + dice.roll(3));
    let key = ClaimKey { scope: "test.key", key: format!("k{}", dice.roll(3)) };
    let did = |what: &str, on: &str| NewEvent {
        data: format!(r#"{{"did": "{what}", "on": "{on}"}}"#),
        ..event("test.thing.happened")
    };
    let on = target.to_string();
    let event = match dice.roll(6) {
        0 | 1 => NewEvent { claims: vec![key.clone()], ..did("take", &key.key) },
        2 => NewEvent { releases: vec![key.clone()], ..did("release", &key.key) },
        3 => NewEvent { references: vec![target], ..did("refer", &on) },
        4 => {
            let hold = HoldTaken { target, expires_at: None };
            NewEvent { references: vec![target], holds: vec![hold], ..did("hold", &on) }
        }
        _ => NewEvent { unholds: vec![target], ..did("unhold", &on) },
    };
    (at, request(vec![write(me, heads[at], vec![event])]))
}

/// Races `count` steps; also opens and closes the targets, guarded by what was read.
pub(crate) async fn contestant(test: &TestLog, seed: u64, count: usize) -> [u32; 2] {
    let (appender, _) = test.appender();
    let log = test.log();
    let mut dice = Dice::new(seed);
    let mut heads = [0_i64; 4];
    let mut tally = [0, 0];
    for _ in 0..count {
        let (at, step) = if dice.roll(4) == 0 {
            let target = shared(200 + dice.roll(3));
            let head = log.stream_head(target).await.expect("a head");
            let version = head.as_ref().map_or(0, |head| head.version);
            let (life, did) = match head {
                None => (Life::Opens, "open"),
                Some(head) if head.closed_at.is_some() => (Life::Reopens, "open"),
                Some(_) => (Life::Closes, "close"),
            };
            let data = format!(r#"{{"did": "{did}", "on": "{target}"}}"#);
            let turn = NewEvent { life, data, ..event("test.target.turned") };
            let mut step = request(vec![write(target, version, vec![turn])]);
            step.guards.push(Guard { stream_id: shared(100), version: heads[0] });
            (None, step)
        } else {
            let (at, step) = contest(&mut dice, &heads);
            (Some(at), step)
        };
        match appender.append(step).await {
            Ok(answer) => {
                tally[0] += 1;
                if let Some(at) = at {
                    heads[at] = answer.version;
                }
            }
            Err(error) => {
                tally[1] += 1;
                assert!(
                    !matches!(error, AppendError::Unavailable(_) | AppendError::Data(_)),
                    "{error}"
                );
                for (n, head) in (0..).zip(&mut heads) {
                    let found = log.stream_head(shared(100 + n)).await.expect("a head");
                    *head = found.map_or(0, |head| head.version);
                }
            }
        }
    }
    tally
}

/// Starts this test binary again as another process that does `what` to the same log.
pub(crate) fn another_process(test: &TestLog, what: &str, seed: u64) -> Child {
    Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "writers::as_another_process", "--nocapture", "--test-threads=1"])
        .env("DAYBOOK_TEST_LOG", test.url())
        .env("DAYBOOK_TEST_DOES", what)
        .env("DAYBOOK_TEST_SEED", seed.to_string())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("another process")
}

/// What the other process heard, line by line, until it ends.
pub(crate) async fn heard(child: &mut Child) -> Vec<Acknowledged> {
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let mut all = Vec::new();
    while let Ok(Some(line)) = lines.next_line().await {
        let Some(said) = line.split("heard ").nth(1) else { continue };
        let parts: Vec<&str> = said.split(' ').collect();
        // The last line may be cut off where the process was killed.
        if let [id, position, events, "."] = parts[..] {
            all.push((id.parse().unwrap(), position.parse().unwrap(), events.parse().unwrap()));
        }
    }
    all
}

/// What the other process does. On its own it does the same to a log of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_another_process() {
    let (test, seed) = match std::env::var("DAYBOOK_TEST_LOG") {
        Ok(url) => (TestLog::at(&url), seed()),
        Err(_) => (TestLog::new().await, 1),
    };
    match std::env::var("DAYBOOK_TEST_DOES").as_deref() {
        Ok("contest") => {
            contestant(&test, seed, 250).await;
        }
        does => {
            let count = if does == Ok("write for ever") { usize::MAX } else { 30 };
            thirty_two(&test, seed, count, |(id, position, events)| {
                println!("heard {id} {position} {events} .");
            })
            .await;
        }
    }
    if std::env::var("DAYBOOK_TEST_LOG").is_err() {
        crate::check::invariants(&test).await;
    }
}

/// Thirty-two writers at once, over one appender.
pub(crate) async fn thirty_two(
    test: &TestLog,
    seed: u64,
    count: usize,
    heard: impl Fn(Acknowledged) + Clone + Send + Sync + 'static,
) {
    let (appender, task) = test.appender();
    let mut writers = tokio::task::JoinSet::new();
    for n in 0..32 {
        writers.spawn(writer(appender.clone(), seed.wrapping_add(n * 7919), count, heard.clone()));
    }
    drop(appender);
    while let Some(ended) = writers.join_next().await {
        ended.expect("a writer");
    }
    task.await.expect("the appender's end");
}
