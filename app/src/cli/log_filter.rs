//! Which events: the flags that every reader of the log shares.

use chrono::{DateTime, Utc};
use clap::Args;
use daybook_projector::queries::known;
use daybook_store::{Filter, Log};
use uuid::Uuid;

use super::Failure;

/// Which events are wanted.
#[derive(Debug, Args)]
pub(super) struct LogFilter {
    /// Only these full types, with commas between
    #[arg(long, value_delimiter = ',', value_name = "TYPES")]
    types: Option<Vec<String>>,
    /// Only these kinds of stream, such as banking.account, with commas between
    #[arg(long, value_delimiter = ',', value_name = "KINDS")]
    kinds: Option<Vec<String>>,
    /// Only these contexts, with commas between
    #[arg(long, value_delimiter = ',', value_name = "CONTEXTS")]
    contexts: Option<Vec<String>>,
    /// Only these streams, with commas between
    #[arg(long, value_delimiter = ',', value_name = "IDS")]
    streams: Option<Vec<Uuid>>,
    /// Only what this user asked for
    #[arg(long, value_name = "ID")]
    actor: Option<Uuid>,
    /// Only what was done on behalf of this organization
    #[arg(long, value_name = "ID")]
    tenant: Option<Uuid>,
    /// Only what is tied together by this id
    #[arg(long, value_name = "ID")]
    correlation: Option<Uuid>,
    /// Recorded at or after this RFC 3339 time
    #[arg(long, value_name = "TIME")]
    from: Option<DateTime<Utc>>,
    /// Recorded at or before this RFC 3339 time
    #[arg(long, value_name = "TIME")]
    to: Option<DateTime<Utc>>,
}

impl LogFilter {
    /// As the log takes it. Names that nothing has, and an end in the future, are refused.
    pub(super) async fn filter(
        &self,
        up_to_position: Option<i64>,
        log: &Log,
    ) -> Result<Filter, Failure> {
        let filter = Filter {
            lanes: None,
            types: self.types.clone(),
            kinds: self.kinds.clone(),
            contexts: self.contexts.clone(),
            streams: self.streams.clone(),
            actor: self.actor,
            tenant: self.tenant,
            correlation: self.correlation,
            from: self.from,
            to: self.to,
            up_to_position,
        };
        known::require_log(&filter, log).await.map_err(Failure::from_filter)?;
        Ok(filter)
    }
}
