//! A set of instants that takes little room where they come at regular steps.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A set of instants, to the microsecond.
///
/// Kept as runs of equal steps, in order, of which no two overlap. One more instant looks at the
/// runs beside it only. What was added in another order may be kept in other runs; what is in the
/// set never depends on it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instants(Vec<Run>);

/// `count` instants from `from` on, `step` microseconds apart; a single one has step 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(i64, i64, u32)", into = "(i64, i64, u32)")]
struct Run {
    from: i64,
    step: i64,
    count: u32,
}

impl From<(i64, i64, u32)> for Run {
    fn from((from, step, count): (i64, i64, u32)) -> Self {
        Self { from, step, count }
    }
}

impl From<Run> for (i64, i64, u32) {
    fn from(run: Run) -> Self {
        (run.from, run.step, run.count)
    }
}

impl Run {
    fn single(at: i64) -> Self {
        Self { from: at, step: 0, count: 1 }
    }

    fn last(self) -> i64 {
        self.from + self.step * i64::from(self.count - 1)
    }

    /// `count` of its instants, from its `first`th on.
    fn part(self, first: u32, count: u32) -> Self {
        let step = if count == 1 { 0 } else { self.step };
        Self { from: self.from + self.step * i64::from(first), step, count }
    }

    /// Both as one run, where the step between them is the step within them.
    fn joined(self, next: Self) -> Option<Self> {
        let gap = next.from - self.last();
        let fits = |run: Self| run.count == 1 || run.step == gap;
        let count = self.count.checked_add(next.count)?;
        (fits(self) && fits(next)).then_some(Self { from: self.from, step: gap, count })
    }
}

impl Instants {
    /// Whether it is in the set.
    #[must_use]
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        let at = at.timestamp_micros();
        self.run_before(at).is_some_and(|n| place(self.0[n], at) == Place::In)
    }

    /// Adds an instant; false: it was there.
    pub fn add(&mut self, at: DateTime<Utc>) -> bool {
        let at = at.timestamp_micros();
        let new = match self.run_before(at) {
            None => 0,
            Some(n) => match place(self.0[n], at) {
                Place::In => return false,
                Place::After => n + 1,
                Place::Between(before) => {
                    let run = self.0[n];
                    let (left, right) = (run.part(0, before), run.part(before, run.count - before));
                    self.0.splice(n..=n, [left, right]);
                    n + 1
                }
            },
        };
        self.0.insert(new, Run::single(at));
        if new + 1 < self.0.len() {
            self.join(new);
        }
        if new > 0 {
            self.join(new - 1);
        }
        true
    }

    /// How many runs it keeps.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.0.len()
    }

    /// The last run that begins at or before `at`.
    fn run_before(&self, at: i64) -> Option<usize> {
        self.0.partition_point(|run| run.from <= at).checked_sub(1)
    }

    /// Joins the `n`th run with the next one, if they fit.
    fn join(&mut self, n: usize) {
        if let Some(joined) = self.0[n].joined(self.0[n + 1]) {
            self.0[n] = joined;
            self.0.remove(n + 1);
        }
    }
}

/// Where an instant at or after a run's beginning is.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// One of the run.
    In,
    /// Between two of them; so many come before it.
    Between(u32),
    /// After the last.
    After,
}

fn place(run: Run, at: i64) -> Place {
    if at > run.last() {
        return Place::After;
    }
    if run.count == 1 || (at - run.from) % run.step == 0 {
        return Place::In;
    }
    Place::Between(u32::try_from((at - run.from) / run.step + 1).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn at(micros: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(micros).unwrap()
    }

    fn runs(instants: &Instants) -> Vec<(i64, i64, u32)> {
        instants.0.iter().map(|run| (*run).into()).collect()
    }

    fn of(micros: impl IntoIterator<Item = i64>) -> Instants {
        let mut instants = Instants::default();
        for micros in micros {
            instants.add(at(micros));
        }
        instants
    }

    #[test]
    fn regular_steps_are_one_run_forwards_and_backwards() {
        assert_eq!(runs(&of((0..1_000).map(|n| n * 300))), [(0, 300, 1_000)]);
        assert_eq!(runs(&of((0..1_000).rev().map(|n| n * 300))), [(0, 300, 1_000)]);
    }

    #[test]
    fn a_gap_that_is_filled_makes_one_run_again() {
        let with_gap = of([0, 10, 20, 40, 50, 60]);
        assert_eq!(runs(&with_gap), [(0, 10, 3), (40, 10, 3)]);
        assert_eq!(runs(&of([0, 10, 20, 40, 50, 60, 30])), [(0, 10, 7)]);
    }

    #[test]
    fn what_falls_between_divides_a_run() {
        let mut instants = of([0, 10, 20, 30]);
        assert!(instants.add(at(15)));
        assert!(!instants.add(at(15)) && !instants.add(at(20)) && !instants.add(at(0)));
        assert_eq!(runs(&instants), [(0, 10, 2), (15, 0, 1), (20, 10, 2)]);
    }

    proptest! {
        /// Whatever comes in whatever order: it is the set of what was added, in disjoint runs, and
        /// what is stored is read back.
        #[test]
        fn it_is_the_set_of_what_was_added(
            micros in prop_oneof![
                vec(0..60_i64, 1..80),
                vec((0..8_i64).prop_map(|n| n * 7), 1..40),
                vec(0..1_000_000_000_000_i64, 1..40),
            ],
        ) {
            let (mut instants, mut known) = (Instants::default(), BTreeSet::new());
            for micros in micros {
                prop_assert_eq!(instants.add(at(micros)), known.insert(micros));
                for near in micros - 8..=micros + 8 {
                    prop_assert_eq!(instants.contains(at(near)), known.contains(&near));
                }
            }
            let listed: Vec<i64> = instants.0.iter()
                .flat_map(|run| (0..run.count).map(|n| run.from + run.step * i64::from(n))).collect();
            prop_assert_eq!(listed, known.into_iter().collect::<Vec<_>>());
            let stored = serde_json::to_string(&instants).unwrap();
            prop_assert_eq!(serde_json::from_str::<Instants>(&stored).unwrap(), instants);
        }
    }
}
