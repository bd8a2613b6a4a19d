//! Waiting for brokers' answers, no longer than they take.

use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};

/// How long one look for answers takes: rdkafka's `poll` lasts as long as it is told to even when
/// answers come, and its `flush` looks for a tenth of a second at a time.
const LOOK: Duration = Duration::from_millis(1);

/// Waits until all that was sent is answered; blocks. Each answer goes to the producer's context.
///
/// # Errors
/// When that takes longer than `within`.
pub(super) fn wait<C: ProducerContext>(
    producer: &BaseProducer<C>,
    within: Duration,
) -> KafkaResult<()> {
    let until = Instant::now() + within;
    while producer.in_flight_count() > 0 {
        if Instant::now() > until {
            return Err(KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut));
        }
        producer.poll(LOOK);
    }
    Ok(())
}
