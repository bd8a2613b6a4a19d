//! Waiting for brokers' answers, no longer than they take.

use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};

/// How long to rest where nothing has come. rdkafka's own `poll` lasts as long as it is told to even
/// when answers come, spins through the last millisecond of it, and its `flush` looks for a tenth of
/// a second at a time.
const REST: Duration = Duration::from_micros(300);

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
        some(producer);
    }
    Ok(())
}

/// Takes in some answers, or rests for a moment.
pub(super) fn some<C: ProducerContext>(producer: &BaseProducer<C>) {
    let before = producer.in_flight_count();
    producer.poll(Duration::ZERO);
    if producer.in_flight_count() >= before {
        std::thread::sleep(REST);
    }
}
