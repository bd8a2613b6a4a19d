//! The thread that polls.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, KafkaResult};

use super::group::{self, Complaint, Member};
use super::inbox::Shared;

/// The longest that one poll waits.
const POLL: Duration = Duration::from_millis(50);
/// How often partitions are paused and go on, and offsets are committed.
const TEND_EVERY: Duration = Duration::from_millis(10);
const COMMIT_EVERY: Duration = Duration::from_secs(1);
/// How long a member waits that was thrown out for good, before it joins as a new one.
const JOIN_AGAIN: Duration = Duration::from_secs(5);

/// Follows the topic until it is told to stop. A member that is thrown out for good gives all lanes
/// back and joins again.
pub(super) fn run(first: Member, config: &ClientConfig, shared: &Arc<Shared>) {
    let mut member = Some(first);
    while !shared.stopped() {
        let followed = match member.take().map_or_else(|| group::member(config, shared), Ok) {
            Ok(member) => follow(&member, shared),
            Err(error) => Err(error),
        };
        shared.revoke_all();
        if let Err(error) = followed {
            tracing::error!(
                %error,
                "Kafka has thrown this consumer out; it joins again soon. If that goes on, two \
                 processes may have one DAYBOOK_KAFKA_INSTANCE"
            );
            let until = Instant::now() + JOIN_AGAIN;
            while !shared.stopped() && Instant::now() < until {
                std::thread::sleep(POLL);
            }
        }
    }
}

fn follow(member: &Member, shared: &Shared) -> KafkaResult<()> {
    member.subscribe(&[&shared.topic])?;
    let mut complaint = Complaint::default();
    let (mut tend_at, mut commit_at) = (Instant::now(), Instant::now());
    while !shared.stopped() {
        match member.poll(POLL) {
            None => {}
            Some(Ok(message)) => shared.arrive(&message),
            Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => return Err(error),
            Some(Err(error)) => complaint.of(&error, member.context().heard.take()),
        }
        let now = Instant::now();
        if now >= tend_at {
            group::tend(member, shared);
            tend_at = now + TEND_EVERY;
        }
        if now >= commit_at {
            group::commit(member, shared, None);
            commit_at = now + COMMIT_EVERY;
        }
    }
    // Dropping the member leaves the group, and sends these.
    group::commit(member, shared, None);
    Ok(())
}
