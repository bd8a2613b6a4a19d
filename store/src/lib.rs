//! The log in PostgreSQL: append, read, subscribe; and its way to Kafka. Knows no context.
//!
//! What holds here (each has a test that breaks when it does): positions dense
//! from 1 in commit order; `recorded_at` strictly increasing with position;
//! versions dense in a stream and `lane_seq` dense in a lane; a command id
//! applied at most once; a request all or nothing; events never changed; no
//! client round trip while the order is locked.

pub mod appender;
pub mod error;
pub mod kafka;
pub mod lane;
pub mod log;
pub mod recorded;
pub mod records;
pub mod redact;
pub mod request;

pub use appender::{Appender, AppenderOptions, Pending};
pub use error::{AppendError, ReadError};
pub use lane::{LANES, lane_of};
pub use log::Share;
pub use log::{
    Answered, Fact, Facts, Filter, Follow, Head, Known, Log, Page, Piece, Snapshot, StreamHead,
};
pub use recorded::{Dependency, Recorded, kind_of};
pub use records::{Record, Records};
pub use request::{
    AppendRequest, Appended, Chain, ClaimKey, CommandKey, Guard, HoldTaken, Life, Metadata,
    NewEvent, StreamWrite,
};
