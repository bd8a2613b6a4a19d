//! What people did that made no event, written down beside the log: refused commands, attempts to sign
//! in, and the reads of those who may read everyone's past.
//!
//! What holds: rows are only added; nobody waits for them. Where more comes than can be written, what
//! does not fit is lost, and how much was is counted (`daybook_records_lost_total`) and written down as
//! soon as something can be. A read that hands out history is the exception: its first row is written
//! before anything leaves ([`begin_read`]).

mod read;
mod refusal;
mod sign_in;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use sqlx::PgPool;
use sqlx::types::ipnetwork::IpNetwork;
use tokio::sync::{mpsc, oneshot};

pub use self::read::{Read, Reader, Reading, begin_read, whole_read};
pub use self::refusal::Refusal;
pub use self::sign_in::SignIn;

/// Rows that wait to be written, at most.
const WAITING: usize = 8_192;
/// Rows that one statement writes, at most.
const AT_ONCE: usize = 512;
/// How long rows are gathered, so that one statement writes many.
const GATHERED_FOR: Duration = Duration::from_millis(20);
/// How long a database that is away is left alone.
const PAUSE: Duration = Duration::from_secs(1);

/// A row to be written.
#[derive(Debug, Clone)]
pub enum Record {
    /// A command was refused.
    Refusal(Refusal),
    /// Somebody tried to sign in.
    SignIn(SignIn),
    /// Somebody read of everyone's past.
    Read(Read),
}

enum Told {
    Record(Box<Record>),
    /// Everything told before is to be written first.
    Flush(oneshot::Sender<()>),
}

/// Takes rows, and has them written by a task of its own.
#[derive(Debug, Clone)]
pub struct Records {
    sender: mpsc::Sender<Told>,
    lost: Arc<AtomicI64>,
}

impl Records {
    /// Starts the task. The pool's role must be one that may insert what is told: `daybook_writer` for
    /// refusals and attempts to sign in, `daybook_projector` for reads. It ends when the last clone of
    /// this is gone and all is written.
    #[must_use]
    pub fn start(pool: PgPool) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        let lost = Arc::new(AtomicI64::new(0));
        tokio::spawn(write_all(pool, receiver, Arc::clone(&lost)));
        Self { sender, lost }
    }

    /// Has a row written. Never waits: what does not fit is lost, and counted.
    pub fn note(&self, record: Record) {
        if self.sender.try_send(Told::Record(Box::new(record))).is_err() {
            metrics::counter!("daybook_records_lost_total").increment(1);
            if self.lost.fetch_add(1, Ordering::Relaxed) == 0 {
                tracing::warn!(
                    "more is to be written down beside the log than can be: some is lost"
                );
            }
        }
    }

    /// Waits, for so long at most, until everything told so far is written.
    pub async fn flush(&self, within: Duration) {
        let (done, written) = oneshot::channel();
        let told = async {
            if self.sender.send(Told::Flush(done)).await.is_ok() {
                let _ = written.await;
            }
        };
        if tokio::time::timeout(within, told).await.is_err() {
            tracing::warn!("what was done last is not written down beside the log: it is lost");
        }
    }
}

async fn write_all(pool: PgPool, mut told: mpsc::Receiver<Told>, lost: Arc<AtomicI64>) {
    let mut batch = Vec::with_capacity(AT_ONCE);
    while told.recv_many(&mut batch, AT_ONCE).await > 0 {
        let flushing = batch.iter().any(|told| matches!(told, Told::Flush(_)));
        if batch.len() < AT_ONCE && !flushing {
            tokio::time::sleep(GATHERED_FOR).await;
        }
        let mut records = Vec::with_capacity(batch.len());
        let mut waiting = Vec::new();
        for told in batch.drain(..) {
            match told {
                Told::Record(record) => records.push(*record),
                Told::Flush(done) => waiting.push(done),
            }
        }
        write(&pool, records, &lost).await;
        for done in waiting {
            let _ = done.send(());
        }
    }
}

/// Writes a batch, however often it must be tried; what the database refuses is lost.
async fn write(pool: &PgPool, records: Vec<Record>, lost: &AtomicI64) {
    let (mut refusals, mut sign_ins, mut reads) = (Vec::new(), Vec::new(), Vec::new());
    for record in records {
        match record {
            Record::Refusal(refusal) => refusals.push(refusal),
            Record::SignIn(sign_in) => sign_ins.push(sign_in),
            Record::Read(read) => reads.push(read),
        }
    }
    let count = refusals.len() + sign_ins.len() + reads.len();
    loop {
        let attempt = async {
            let mut transaction = pool.begin().await?;
            refusal::insert(&refusals, &mut transaction).await?;
            sign_in::insert(&sign_ins, &mut transaction).await?;
            read::insert(&reads, &mut transaction).await?;
            let missing = lost.load(Ordering::Relaxed);
            if missing > 0 {
                sqlx::query("INSERT INTO journal.losses (lost) VALUES ($1)")
                    .bind(missing)
                    .execute(&mut *transaction)
                    .await?;
            }
            transaction.commit().await?;
            Ok::<i64, sqlx::Error>(missing)
        };
        match attempt.await {
            Ok(missing) => {
                lost.fetch_sub(missing, Ordering::Relaxed);
                return;
            }
            // The database is there, and will not take it: another try would be the same.
            Err(sqlx::Error::Database(error)) if !is_passing(error.code().as_deref()) => {
                tracing::error!(%error, count, "what was to be written down beside the log is lost");
                metrics::counter!("daybook_records_lost_total").increment(count as u64);
                lost.fetch_add(i64::try_from(count).unwrap_or(i64::MAX), Ordering::Relaxed);
                return;
            }
            Err(sqlx::Error::PoolClosed) => return,
            Err(error) => {
                tracing::warn!(%error, count, "the database takes nothing beside the log; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Whether the server may take the same thing later: it starts, stops, or has no room right now.
fn is_passing(code: Option<&str>) -> bool {
    code.is_some_and(|code| code.starts_with("57P") || code.starts_with("53") || code == "25006")
}

fn network(address: Option<std::net::IpAddr>) -> Option<IpNetwork> {
    address.map(IpNetwork::from)
}

/// Text as PostgreSQL takes it, of at most so many characters.
fn fitting(text: &str, most: usize) -> String {
    text.chars().filter(|character| *character != '\0').take(most).collect()
}
