//! What was measured on one server in one ISO week.
//!
//! A sample (server, metric, instant) is taken once, for ever, also when it is delivered twice and
//! by different commands. So something must know every instant of the past, and it must not grow
//! without end. Hence a stream a server and week: its id follows from both, a delivery writes those
//! of the weeks that its samples are of, and only these are loaded. The state keeps the instants of
//! each metric as runs of equal steps ([`Instants`]): a metric that reports every five minutes is
//! one run however long it reports, and what comes irregularly is bounded by [`MAX_RUNS`], beyond
//! which the week takes nothing more and says so.
//!
//! A week is also a partition of the read table. Nobody asks this aggregate from outside: the
//! write side sends its command for a server's `record_usage`.

mod instants;
#[cfg(test)]
mod tests;
mod week;

use std::collections::BTreeMap;

use chrono::{DateTime, SubsecRound, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::aggregate::{Aggregate, Effects, Lifecycle, Refusal, RefusalSort};
use crate::context::Context;
use crate::datacentre::server::commands::Sample;
use crate::values::{MetricValue, Text};

pub use instants::Instants;
pub use week::Week;

/// How many samples are delivered at once, at most.
pub const MAX_SAMPLES: usize = 10_000;
/// Of how many weeks the samples of a delivery are, at most.
pub const MAX_WEEKS: usize = 104;
/// How many samples one event carries, at most: so that no event is large.
pub const SAMPLES_AN_EVENT: usize = 1_000;
/// How many runs of equal steps a server's week has room for, its metrics together.
pub const MAX_RUNS: usize = 100_000;

/// What is known of a server's week: of each metric, the instants at which it was measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Usage(BTreeMap<Text<50>, Instants>);

/// Takes samples of one week; those that were taken before are passed over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The server.
    pub server_id: Uuid,
    /// Samples of one week, each of them not before 1970.
    pub samples: Vec<Sample>,
    /// From which fresh id on the samples are numbered.
    pub first: u16,
}

crate::commands! {
    /// What can be asked of a server's week.
    pub enum UsageCommand {
        "record" => Record,
    }
}

/// Samples were taken, by metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Recorded {
    /// The server.
    pub server_id: Uuid,
    /// The first sample's id; each one after it has the next.
    pub first_id: Uuid,
    /// What was measured, in the order of the ids.
    pub series: Vec<Series>,
}

/// Samples of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Series {
    /// What was measured.
    pub metric_type: Text<50>,
    /// In what.
    pub unit: Text<20>,
    /// When, and what came out.
    pub points: Vec<Point>,
}

/// An instant and the value that was measured at it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point(pub DateTime<Utc>, pub MetricValue);

crate::events! {
    /// What can have happened to a server's week.
    pub enum UsageEvent {
        "datacentre.usage.recorded" @ 1 => Recorded,
    }
}

/// Why a server's week may refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    /// Too much that comes at no regular step.
    #[error(
        "a server's week has room for {MAX_RUNS} runs of samples at equal steps, with these it would have {runs}"
    )]
    TooIrregular {
        /// How many there would be.
        runs: usize,
    },
}

impl Refusal for UsageError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooIrregular { .. } => "usage-too-irregular",
        }
    }

    fn sort(&self) -> RefusalSort {
        match self {
            Self::TooIrregular { .. } => RefusalSort::Rule,
        }
    }
}

/// The commands that a delivery is to the weeks that its samples are of, by their streams.
/// The samples are numbered through, so that no two get the same fresh id.
#[must_use]
pub fn by_week(server_id: Uuid, samples: &[Sample]) -> BTreeMap<Uuid, Record> {
    let mut weeks: BTreeMap<Week, Vec<Sample>> = BTreeMap::new();
    for sample in samples {
        weeks.entry(Week::of(sample.recorded_at)).or_default().push(sample.clone());
    }
    let mut first = 0_u16;
    let mut commands = BTreeMap::new();
    for (week, samples) in weeks {
        let count = u16::try_from(samples.len()).unwrap_or(u16::MAX);
        commands.insert(week.stream_of(server_id), Record { server_id, samples, first });
        first = first.saturating_add(count);
    }
    commands
}

impl Usage {
    /// Whether the metric's sample of this instant was taken.
    #[must_use]
    pub fn has(&self, metric_type: &Text<50>, at: DateTime<Utc>) -> bool {
        self.0.get(metric_type).is_some_and(|instants| instants.contains(at))
    }

    /// How many runs of equal steps it keeps.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.0.values().map(Instants::runs).sum()
    }

    /// Adds an instant; false: it was there.
    fn add(&mut self, metric_type: &Text<50>, at: DateTime<Utc>) -> bool {
        match self.0.get_mut(metric_type) {
            Some(instants) => instants.add(at),
            None => self.0.entry(metric_type.clone()).or_default().add(at),
        }
    }
}

impl Recorded {
    /// The samples with their ids.
    pub fn samples(&self) -> impl Iterator<Item = (Uuid, &Series, Point)> {
        let points = self
            .series
            .iter()
            .flat_map(|series| series.points.iter().map(move |point| (series, *point)));
        (0_u128..).zip(points).map(|(n, (series, point))| {
            (Uuid::from_u128(self.first_id.as_u128().wrapping_add(n)), series, point)
        })
    }
}

impl Aggregate for Usage {
    const KIND: &'static str = "datacentre.usage";
    type Command = UsageCommand;
    type Event = UsageEvent;
    type Error = UsageError;
    type Facts = ();

    fn decide(
        &self,
        command: &UsageCommand,
        (): &(),
        context: &Context,
    ) -> Result<Vec<UsageEvent>, UsageError> {
        let UsageCommand::Record(command) = command;
        let mut after = self.clone();
        let mut new = Vec::new();
        for sample in &command.samples {
            let at = sample.recorded_at.trunc_subsecs(6);
            if after.add(&sample.metric_type, at) {
                new.push((sample, at));
            }
        }
        let runs = after.runs();
        if !new.is_empty() && runs > MAX_RUNS {
            return Err(UsageError::TooIrregular { runs });
        }
        new.sort_by(|(left, at), (right, later)| {
            (&left.metric_type, &left.unit, at).cmp(&(&right.metric_type, &right.unit, later))
        });
        let mut next = command.first;
        let events = new.chunks(SAMPLES_AN_EVENT).map(|samples| {
            let first_id = context.fresh_id(next);
            next = next.saturating_add(u16::try_from(samples.len()).unwrap_or(u16::MAX));
            Recorded { server_id: command.server_id, first_id, series: series(samples) }.into()
        });
        Ok(events.collect())
    }

    fn apply(&mut self, event: &UsageEvent) {
        let UsageEvent::Recorded(event) = event;
        for series in &event.series {
            for Point(at, _) in &series.points {
                self.add(&series.metric_type, *at);
            }
        }
    }

    fn effects(&self, _: Uuid, event: &UsageEvent) -> Effects {
        let UsageEvent::Recorded(event) = event;
        if !self.0.is_empty() {
            return Effects::default();
        }
        Effects {
            lifecycle: Lifecycle::Opens,
            references: vec![event.server_id],
            ..Effects::default()
        }
    }
}

/// Samples in order, gathered by metric and unit.
fn series(samples: &[(&Sample, DateTime<Utc>)]) -> Vec<Series> {
    let mut gathered: Vec<Series> = Vec::new();
    for (sample, at) in samples {
        let point = Point(*at, sample.value);
        match gathered.last_mut() {
            Some(last) if last.metric_type == sample.metric_type && last.unit == sample.unit => {
                last.points.push(point);
            }
            Some(_) | None => gathered.push(Series {
                metric_type: sample.metric_type.clone(),
                unit: sample.unit.clone(),
                points: vec![point],
            }),
        }
    }
    gathered
}
