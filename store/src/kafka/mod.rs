//! The log's way to Kafka. PostgreSQL is the ledger; Kafka is a bus that can be refilled from it at
//! any time, and nothing here is ever asked what is true.

pub mod connection;
pub mod consumer;
mod copy;
mod delivered;
pub(crate) mod log;
mod reader;
pub mod reconcile;
pub mod record;
mod refusal;
pub mod relay;
pub mod rows;
pub mod topics;

pub use connection::{Connection, Naming, Sasl, Tls, TopicSettings};
pub use consumer::LaneConsumer;
pub use copy::TopicCopy;
pub use rdkafka::error::KafkaError;
pub use record::{Arrived, Foreign, Record};
pub use refusal::Refusal;
pub use relay::{Relay, RelayError, RelayOptions};
pub use rows::{RowProducer, RowRecord, ensure_row_topics};
pub use topics::{Described, Objection, TopicError, Topics};
