//! One relay's time as the one that publishes: from the lease to the first error, or the end.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::lease::{Lease, RENEWED_EVERY, Said};
use super::publisher::Publisher;
use super::{Ended, Relay, RelayError, learn};
use crate::kafka::Topics;
use crate::log::{Filter, Page};
use crate::recorded::Recorded;

/// How often a topic to which nothing is published is looked at.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(3);
/// How long the relay rests between two transactions while it keeps up. A transaction costs the brokers
/// something for each partition that it touches, twice; and one that is begun before they have marked the
/// end of the last one everywhere is sent away for 20 ms.
const GATHERED_FOR: Duration = Duration::from_millis(12);
/// About how much data one transaction has at most, in bytes.
const LARGEST_TRANSACTION: usize = 32 << 20;

/// How far the topic is.
#[derive(Debug, Clone)]
struct Progress {
    position: i64,
    lane_seqs: Vec<i64>,
    /// Whether anything was published to get there.
    published: bool,
}

/// Takes the lease and publishes for as long as all goes well.
pub(super) async fn run(
    relay: &Relay,
    cancel: &CancellationToken,
    published: &mut bool,
) -> Result<Ended, RelayError> {
    let pool = relay.log.pool();
    let options = &relay.options;
    let taken = Lease::take(pool, &relay.topic, options.id, &options.host).await?;
    let Some((lease, said)) = taken else { return Ok(Ended::Standby) };
    let (told, progress) = watch::channel(None);
    let epoch = relay.log.head().await?.epoch;
    let outcome = tokio::select! {
        outcome = lead(relay, epoch, &said, &told, cancel) => outcome,
        error = keep(relay, &lease, &progress, epoch) => Err(error),
    };
    metrics::gauge!("daybook_relay_active").set(0.0);
    let known: Option<Progress> = progress.borrow().clone();
    *published = known.as_ref().is_some_and(|known| known.published);
    // The database may be what is away; the lease then ends by itself.
    let released = async {
        if let Some(Progress { position, lane_seqs, .. }) = &known {
            lease.renew(*position, lane_seqs).await?;
        }
        lease.release().await
    };
    if let Err(error) = released.await {
        tracing::debug!(%error, "the relay's lease is not given back");
    }
    outcome
}

/// Renews the lease until it is lost, and says how far the topic is.
async fn keep(
    relay: &Relay,
    lease: &Lease,
    progress: &watch::Receiver<Option<Progress>>,
    epoch: i64,
) -> RelayError {
    let mut ticks = tokio::time::interval(RENEWED_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let known = progress.borrow().clone();
        let kept = match &known {
            Some(known) => lease.renew(known.position, &known.lane_seqs).await,
            None => lease.keep().await.map(|kept| kept.then_some(epoch)),
        };
        match kept {
            Ok(Some(now)) if now == epoch => {}
            Ok(Some(_)) => return RelayError::AnotherEpoch,
            Ok(None) => return RelayError::LeaseLost,
            Err(error) => tracing::debug!(%error, "the relay's lease is not renewed"),
        }
        if let Some(known) = known {
            relay.show_lag(known.position).await;
        }
    }
}

/// Begins under the relay's name, learns what the topic has, and publishes what it lacks.
async fn lead(
    relay: &Relay,
    epoch: i64,
    said: &Said,
    told: &watch::Sender<Option<Progress>>,
    cancel: &CancellationToken,
) -> Result<Ended, RelayError> {
    if Topics::new(&relay.connection)?.ensure_events().await? {
        tracing::info!(topic = relay.topic, "the topic of events is made");
    }
    let (connection, topic) = (relay.connection.clone(), relay.topic.clone());
    let (leading, ends) = tokio::task::spawn_blocking(move || {
        let publisher = Publisher::begin(&connection, &topic, epoch)?;
        let ends = learn::ends(&connection, &topic)?;
        Ok::<_, RelayError>((Leading(Arc::new(publisher)), ends))
    })
    .await??;
    let publisher = &leading.0;
    let head = relay.log.head().await?;
    let learnt = learn::learn(&relay.log, &head, ends, said).await?;
    publisher.goes_on_from(learnt.ends);
    tracing::info!(
        topic = relay.topic,
        position = learnt.position,
        missing = head.lane_heads.iter().sum::<i64>() - learnt.lane_seqs.iter().sum::<i64>(),
        "publishing the log"
    );
    metrics::gauge!("daybook_relay_active").set(1.0);
    let progress =
        Progress { position: learnt.position, lane_seqs: learnt.lane_seqs, published: false };
    told.send_replace(Some(progress.clone()));
    relay.published.send_replace(progress.position);
    publish(relay, publisher, progress, told, cancel).await
}

/// A publisher that is let go of on a thread that may block: it waits for its own threads.
struct Leading(Arc<Publisher>);

impl Drop for Leading {
    fn drop(&mut self) {
        let publisher = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || drop(publisher));
    }
}

/// The events of the first transaction: how large they are is not known yet.
const FIRST_EVENTS: usize = 256;

/// Publishes the log as it grows. Where there is more than a page of it, the next one is read while one is
/// published; else some of what comes meanwhile is gathered first.
async fn publish(
    relay: &Relay,
    publisher: &Arc<Publisher>,
    mut progress: Progress,
    told: &watch::Sender<Option<Progress>>,
    cancel: &CancellationToken,
) -> Result<Ended, RelayError> {
    let mut head = relay.head.clone();
    let mut limit = relay.options.batch.min(FIRST_EVENTS);
    let mut page = read(relay, progress.position, limit).await?;
    while !cancel.is_cancelled() {
        if page.scanned_to <= progress.position {
            let grew = tokio::select! {
                () = cancel.cancelled() => break,
                () = grown(&mut head, progress.position) => true,
                () = tokio::time::sleep(LOOKED_AT_EVERY) => false,
            };
            page = read(relay, progress.position, limit).await?;
            if page.scanned_to <= progress.position {
                // A database that came back with less than it had said: it is waited for.
                if grew {
                    tokio::time::sleep(LOOKED_AT_EVERY).await;
                }
                look(publisher).await?;
            }
            continue;
        }
        let Page { events, scanned_to } = page;
        let behind = events.len() >= limit;
        let lacking = lacking(events, &mut progress.lane_seqs)?;
        limit = next_limit(&lacking, relay.options.batch);
        let count = lacking.len() as u64;
        let next = async { if behind { Some(read(relay, scanned_to, limit).await) } else { None } };
        let (published, next) = tokio::join!(send(publisher, lacking), next);
        published?;
        metrics::counter!("daybook_relay_published_total").increment(count);
        progress.position = scanned_to;
        progress.published |= count > 0;
        told.send_replace(Some(progress.clone()));
        relay.published.send_replace(progress.position);
        page = match next {
            Some(page) => page?,
            None => {
                tokio::time::sleep(GATHERED_FOR).await;
                read(relay, progress.position, limit).await?
            }
        };
    }
    Ok(Ended::Stopped)
}

/// Until the log is past `position`. Where nobody says any more how far it is, this never ends: then
/// the log is read whenever the topic is looked at.
async fn grown(head: &mut watch::Receiver<i64>, position: i64) {
    if head.wait_for(|head| *head > position).await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn read(relay: &Relay, after: i64, limit: usize) -> Result<Page, RelayError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(relay.log.page(after, &Filter::default(), limit).await?)
}

/// The events that the topic lacks, which each lane must have in order and without a hole.
fn lacking(events: Vec<Recorded>, lane_seqs: &mut [i64]) -> Result<Vec<Recorded>, RelayError> {
    let mut wanted = Vec::with_capacity(events.len());
    for event in events {
        let hole = RelayError::Hole { lane: event.lane, position: event.position };
        let Some(last) = usize::try_from(event.lane).ok().and_then(|lane| lane_seqs.get_mut(lane))
        else {
            return Err(hole);
        };
        if event.lane_seq > *last + 1 {
            return Err(hole);
        }
        if event.lane_seq == *last + 1 {
            *last = event.lane_seq;
            wanted.push(event);
        }
    }
    Ok(wanted)
}

/// How many events to read next, so that large ones do not fill the memory.
fn next_limit(events: &[Recorded], most: usize) -> usize {
    let bytes: usize = events.iter().map(|event| event.data.get().len()).sum();
    let average = bytes / events.len().max(1) + 1;
    (LARGEST_TRANSACTION / average).clamp(most.min(16), most)
}

async fn send(publisher: &Arc<Publisher>, events: Vec<Recorded>) -> Result<(), RelayError> {
    if events.is_empty() {
        return Ok(());
    }
    let publisher = Arc::clone(publisher);
    tokio::task::spawn_blocking(move || publisher.publish(&events)).await?
}

async fn look(publisher: &Arc<Publisher>) -> Result<(), RelayError> {
    let publisher = Arc::clone(publisher);
    tokio::task::spawn_blocking(move || publisher.look()).await?
}
