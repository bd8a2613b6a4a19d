//! `daybook events`.

use std::time::Duration;

use clap::Args;
use daybook_projector::queries::cloud_event;
use daybook_projector::replay::{Format, Order};
use daybook_store::Recorded;
use tokio_util::sync::CancellationToken;

use super::history::{History, text};
use super::log_filter::LogFilter;
use super::output::{Output, line};
use super::{Exit, Failure, Outcome, Session};

/// How many events are read at a time.
const PAGE: i64 = 500;
/// How often the head is looked at while following.
const EVERY: Duration = Duration::from_millis(100);

/// Read the log, or follow it as it grows
#[derive(Debug, Args)]
#[command(
    after_help = "With --output json, each line is one event as a CloudEvent.\n\nExample: daybook events --types banking.account.withdrawn --from 2026-01-01T00:00:00Z --follow"
)]
pub(super) struct Events {
    /// Go on with what comes, until Ctrl-C
    #[arg(long, conflicts_with = "to")]
    follow: bool,
    #[command(flatten)]
    which: LogFilter,
    /// The first position
    #[arg(long, value_name = "POSITION", default_value_t = 1)]
    from_position: i64,
    /// At most so many
    #[arg(long, value_name = "COUNT")]
    limit: Option<u64>,
    /// How they are printed
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

impl Events {
    pub(super) async fn run(self, session: Session) -> Outcome {
        let history = History::open(&session).await?;
        let outcome = self.read(&history, &session.cancel).await;
        history.close().await?;
        outcome
    }

    /// Prints what there is, then what comes. Ctrl-C is the ordinary end of following.
    async fn read(&self, history: &History, cancel: &CancellationToken) -> Outcome {
        let head = history.log.head().await?;
        let up_to = (!self.follow).then_some(head.position);
        let filter = self.which.filter(up_to, &history.log).await?;
        let order = Order {
            filter: filter.clone(),
            after: self.from_position - 1,
            format: Format::Ndjson,
            speed: None,
        };
        let asked = order.described();
        let reading = history.begin_read("events", asked).await?;
        let mut count = 0;
        let mut after = (self.from_position - 1).max(0);
        let mut left = self.limit.unwrap_or(u64::MAX);
        let mut moves = history.log.follow(EVERY).head();
        if self.output == Output::Table {
            line(format!(
                "{:>9}  {:27}  {:36}  {:>5}  TYPE AND DATA",
                "POSITION", "RECORDED", "STREAM", "V"
            ));
        }
        while left > 0 && !cancel.is_cancelled() {
            moves.borrow_and_update();
            let wanted = i64::try_from(left).unwrap_or(PAGE).min(PAGE);
            let page = history.log.page(after, &filter, wanted).await?;
            for event in &page.events {
                line(self.shown(event, head.epoch)?);
                count += 1;
            }
            left -= u64::try_from(page.events.len()).unwrap_or(left).min(left);
            if page.scanned_to > after {
                after = page.scanned_to;
            } else if self.follow {
                tokio::select! {
                    () = cancel.cancelled() => {}
                    moved = moves.changed() => if moved.is_err() { break },
                }
            } else {
                break;
            }
        }
        history.end_read(reading, count, None).await?;
        if cancel.is_cancelled() && !self.follow {
            return Err(Failure::failed("interrupted"));
        }
        Ok(Exit::Done)
    }

    fn shown(&self, event: &Recorded, epoch: i64) -> Result<String, Failure> {
        if self.output == Output::Json {
            return Ok(cloud_event::json(event, epoch)?.get().to_owned());
        }
        let redacted = cloud_event::redacted(&event.data)?;
        Ok(format!(
            "{:>9}  {:27}  {}  {:>5}  {} {}",
            event.position,
            text(event.recorded_at),
            event.stream_id,
            event.version,
            event.event_type,
            redacted.as_deref().unwrap_or(&event.data).get()
        ))
    }
}
