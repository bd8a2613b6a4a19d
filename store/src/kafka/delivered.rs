//! Sending, and waiting for brokers' answers no longer than they take.

use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::ToBytes;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};

/// How long to rest where nothing has come. rdkafka's own `poll` lasts as long as it is told to even
/// when answers come, spins through the last millisecond of it, and its `flush` looks for a tenth of
/// a second at a time.
const REST: Duration = Duration::from_micros(300);

/// Waits until all that was sent is answered, or `broken` says that there is no use in it; blocks. Each
/// answer goes to the producer's context.
///
/// # Errors
/// When that takes longer than `within`; and what `broken` says.
pub(super) fn wait<C: ProducerContext>(
    producer: &BaseProducer<C>,
    within: Duration,
    broken: impl Fn() -> Option<KafkaError>,
) -> KafkaResult<()> {
    let until = Instant::now() + within;
    while producer.in_flight_count() > 0 {
        if Instant::now() > until {
            return Err(KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut));
        }
        some(producer);
        if let Some(error) = broken() {
            return Err(error);
        }
    }
    Ok(())
}

/// Sends a record; where the queue is full, waits until there is room, unless `broken` says that there
/// is no use in it. Blocks.
///
/// # Errors
/// When it cannot be sent; and what `broken` says.
pub(super) fn send<
    K: ToBytes + ?Sized,
    P: ToBytes + ?Sized,
    C: ProducerContext<DeliveryOpaque = ()>,
>(
    producer: &BaseProducer<C>,
    mut record: BaseRecord<'_, K, P>,
    broken: impl Fn() -> Option<KafkaError>,
) -> KafkaResult<()> {
    loop {
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                if let Some(error) = broken() {
                    return Err(error);
                }
                some(producer);
                record = back;
            }
            Err((error, _)) => return Err(error),
        }
    }
}

/// Takes in some answers, or rests for a moment.
fn some<C: ProducerContext>(producer: &BaseProducer<C>) {
    let before = producer.in_flight_count();
    producer.poll(Duration::ZERO);
    if producer.in_flight_count() >= before {
        std::thread::sleep(REST);
    }
}
