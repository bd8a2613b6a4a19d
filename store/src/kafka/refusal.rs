//! What brokers say to who may not come in. Waiting mends none of it, so it is told apart from a
//! broker that is away, and with what to do.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;

use super::{Connection, TopicError, log};

/// How long brokers may take to answer, and how long one question waits before it is looked whether
/// they refuse.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);
const LOOKED_AFTER: Duration = Duration::from_millis(500);
/// The most events of a client that are looked at for what it was told.
const MOST_EVENTS: usize = 100;

/// Why brokers do not let us in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What they say.
    pub what: String,
    /// What to do.
    pub mend: &'static str,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.mend)
    }
}

impl Refusal {
    /// What librdkafka says of a broker, if it is a refusal.
    fn of(error: &KafkaError, reason: &str) -> Option<Self> {
        let (what, mend) = match error.rdkafka_error_code()? {
            RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SaslAuthenticationFailed => (
                "the brokers refuse this user and password",
                "mend DAYBOOK_KAFKA_USER, DAYBOOK_KAFKA_PASSWORD and DAYBOOK_KAFKA_SASL, or make \
                 the user on the brokers",
            ),
            RDKafkaErrorCode::SSL => (
                "TLS with the brokers fails",
                "DAYBOOK_KAFKA_CA_FILE must have the authority that signed the brokers' \
                 certificates, their names must be those in DAYBOOK_KAFKA_BROKERS, and where they ask \
                 for a certificate it is DAYBOOK_KAFKA_CERTIFICATE_FILE",
            ),
            // Of a connection that ends at once this is librdkafka's guess, and a good one.
            _ if reason.contains("security.protocol") => (
                "the brokers do not speak as we do",
                "set DAYBOOK_KAFKA_TLS or DAYBOOK_KAFKA_CA_FILE where they want TLS, \
                 DAYBOOK_KAFKA_USER and DAYBOOK_KAFKA_PASSWORD where they want a password, and \
                 neither where they do not",
            ),
            _ => return None,
        };
        Some(Self { what: format!("{what} ({reason})"), mend })
    }
}

/// The last refusal that a client heard of.
#[derive(Debug, Default)]
pub(super) struct Heard(Mutex<Option<Refusal>>);

impl Heard {
    /// Hears of an error.
    pub(super) fn hear(&self, error: &KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "librdkafka");
        if let Some(refusal) = Refusal::of(error, reason) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(refusal);
        }
    }

    /// What it was, once.
    pub(super) fn take(&self) -> Option<Refusal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A client whose calls answer for themselves: what it says besides is for those who look closely.
#[derive(Debug, Default)]
pub(super) struct Quiet {
    heard: Heard,
}

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log::line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.heard.hear(&error, reason);
    }
}

impl ConsumerContext for Quiet {}

/// Asks for what there is: of one topic, or of the brokers alone. A consumer asks: unlike a producer's,
/// its questions never make a topic. Blocks.
pub(super) fn metadata(
    connection: &Connection,
    topic: Option<&str>,
) -> Result<Metadata, TopicError> {
    let consumer: BaseConsumer<Quiet> = connection.config().create_with_context(Quiet::default())?;
    let until = Instant::now() + ANSWERS_WITHIN;
    loop {
        match consumer.fetch_metadata(topic, LOOKED_AFTER) {
            Ok(metadata) => return Ok(metadata),
            Err(error) => {
                let events = std::iter::from_fn(|| consumer.poll(Duration::ZERO));
                events.take(MOST_EVENTS).for_each(drop);
                if let Some(refusal) = consumer.context().heard.take() {
                    return Err(TopicError::Refused(refusal));
                }
                if Instant::now() > until {
                    return Err(error.into());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_waiting_mends_is_told_from_what_passes() {
        let heard = |code, reason| Refusal::of(&KafkaError::Global(code), reason);
        let password = heard(RDKafkaErrorCode::Authentication, "invalid credentials").unwrap();
        assert!(password.what.contains("invalid credentials"), "{password}");
        assert!(password.mend.contains("DAYBOOK_KAFKA_PASSWORD"), "{password}");
        let authority = heard(RDKafkaErrorCode::SSL, "certificate verify failed").unwrap();
        assert!(authority.mend.contains("DAYBOOK_KAFKA_CA_FILE"), "{authority}");
        let protocol = heard(
            RDKafkaErrorCode::BrokerTransportFailure,
            "Disconnected: might be caused by incorrect security.protocol configuration",
        );
        assert!(protocol.unwrap().mend.contains("DAYBOOK_KAFKA_TLS"));
        assert_eq!(heard(RDKafkaErrorCode::BrokerTransportFailure, "Connection refused"), None);
        assert_eq!(heard(RDKafkaErrorCode::AllBrokersDown, "1/1 brokers are down"), None);
    }
}
