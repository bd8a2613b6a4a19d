//! How much is measured, and how long.

use std::time::Duration;

use clap::Parser;

use crate::measure::Span;

/// Floors and ours, measured in one run on one private PostgreSQL with fsync and synchronous_commit
/// on; prints one table.
#[derive(Debug, Parser)]
#[command(
    name = "daybook-bench",
    after_help = "Example: cargo run --release -p daybook-bench -- --quick --only append"
)]
pub(crate) struct Arguments {
    /// Everything once over: short windows, few events
    #[arg(long, conflicts_with = "long")]
    quick: bool,
    /// The snapshot stays open for ten minutes
    #[arg(long)]
    long: bool,
    /// Only these groups: append, engine, growth, read, replay, post, rebuild, past, throttled, visible, http, snapshot, memory, relay, kafka
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// How often each floor and ours are measured, in turn
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Events of the long log [default: 1000000, quick: 40000]
    #[arg(long)]
    events: Option<i64>,
    /// Events that the throttled rebuild folds a second
    #[arg(long, default_value_t = 1000, value_name = "RATE", value_parser = clap::value_parser!(i64).range(1..))]
    throttle: i64,
}

/// What a run does.
#[derive(Debug)]
pub(crate) struct Plan {
    /// How often floor and ours take turns.
    pub(crate) rounds: u32,
    /// A closed loop's time.
    pub(crate) span: Span,
    /// Events of the long log.
    pub(crate) events: i64,
    /// Events of the log that is posted and rebuilt.
    pub(crate) posted_events: i64,
    /// Events that the throttled rebuild folds a second.
    pub(crate) throttle: i64,
    /// How long latency is measured.
    pub(crate) latency: Duration,
    /// How long the snapshot stays open.
    pub(crate) snapshot: Duration,
    only: Vec<String>,
}

impl Arguments {
    /// The plan.
    pub(crate) fn plan(self) -> Plan {
        let seconds = Duration::from_secs_f64;
        let (window, latency, snapshot) =
            if self.quick { (0.7, 2.0, 4.0) } else { (2.5, 6.0, 60.0) };
        let warm_up = if self.quick { 0.2 } else { 0.5 };
        Plan {
            rounds: self.rounds,
            span: Span { warm_up: seconds(warm_up), window: seconds(window) },
            events: self.events.unwrap_or(if self.quick { 40_000 } else { 1_000_000 }),
            posted_events: if self.quick { 30_000 } else { 200_000 },
            throttle: self.throttle,
            latency: seconds(latency),
            snapshot: seconds(if self.long { 600.0 } else { snapshot }),
            only: self.only,
        }
    }
}

/// The groups of measurements.
pub(crate) const GROUPS: [&str; 15] = [
    "append",
    "engine",
    "growth",
    "read",
    "replay",
    "post",
    "rebuild",
    "past",
    "throttled",
    "visible",
    "http",
    "snapshot",
    "memory",
    "relay",
    "kafka",
];

impl Plan {
    /// Whether a group is wanted.
    pub(crate) fn wants(&self, group: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == group)
    }

    /// A name given that is none.
    pub(crate) fn unknown(&self) -> Option<&str> {
        self.only.iter().map(String::as_str).find(|name| !GROUPS.contains(name))
    }

    /// Says how far it is, beside the table.
    #[allow(clippy::unused_self, reason = "a plan that is silent would be one more field")]
    pub(crate) fn say(&self, text: &str) {
        eprintln!("{text}");
    }
}
