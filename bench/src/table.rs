//! The one table: what, floor, ours, ratio, target, verdict.

use std::fmt::Write as _;

use crate::measure::median;

/// A line of the table.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    what: String,
    floor: String,
    ours: String,
    ratio: String,
    target: String,
    verdict: Verdict,
}

/// Whether a target was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Met,
    Missed,
    /// There is no target.
    Told,
}

impl Verdict {
    fn of(met: bool) -> Self {
        if met { Self::Met } else { Self::Missed }
    }
}

/// What was measured in each round: the floor and ours.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rounds {
    pub(crate) floor: Vec<f64>,
    pub(crate) ours: Vec<f64>,
}

impl Line {
    /// Ours against a floor, both in things a second: medians of the rounds.
    pub(crate) fn against(what: impl Into<String>, rounds: &Rounds, at_least: f64) -> Self {
        let (floor, ours) = (median(&rounds.floor), median(&rounds.ours));
        let ratio = ours / floor;
        Self {
            what: what.into(),
            floor: rate(floor),
            ours: rate(ours),
            ratio: format!("{ratio:.2}"),
            target: format!("≥ {at_least:.2}"),
            verdict: Verdict::of(ratio >= at_least),
        }
    }

    /// The same, where no target was set.
    pub(crate) fn told(what: impl Into<String>, rounds: &Rounds) -> Self {
        let line = Self::against(what, rounds, 0.0);
        Self { target: "–".to_owned(), verdict: Verdict::Told, ..line }
    }

    /// A figure with a bound of its own, and no floor.
    pub(crate) fn bounded(
        what: impl Into<String>,
        ours: impl Into<String>,
        target: impl Into<String>,
        met: bool,
    ) -> Self {
        Self {
            what: what.into(),
            floor: "–".to_owned(),
            ours: ours.into(),
            ratio: "–".to_owned(),
            target: target.into(),
            verdict: Verdict::of(met),
        }
    }

    fn cells(&self) -> [&str; 6] {
        let verdict = match self.verdict {
            Verdict::Met => "met",
            Verdict::Missed => "**missed**",
            Verdict::Told => "–",
        };
        [&self.what, &self.floor, &self.ours, &self.ratio, &self.target, verdict]
    }
}

/// The table in Markdown, its columns as wide as they must be.
pub(crate) fn markdown(lines: &[Line]) -> String {
    let head = ["what", "floor", "ours", "ratio", "target", "verdict"];
    let rows: Vec<[&str; 6]> = std::iter::once(head).chain(lines.iter().map(Line::cells)).collect();
    let widths: Vec<usize> = (0..head.len())
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(text, "| {cell:<width$} ");
        }
        text.push_str("|\n");
        if number == 0 {
            for width in &widths {
                let _ = write!(text, "| {} ", "-".repeat(*width));
            }
            text.push_str("|\n");
        }
    }
    text
}

/// `12,345/s`, or `7.5/s` where there are few.
pub(crate) fn rate(value: f64) -> String {
    if value < 100.0 { format!("{value:.1}/s") } else { format!("{}/s", thousands(value)) }
}

/// `12,345`.
pub(crate) fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_below_its_target_is_missed() {
        let rounds = Rounds { floor: vec![100.0, 1000.0, 900.0], ours: vec![500.0, 400.0, 100.0] };
        let text = markdown(&[Line::against("x", &rounds, 0.4), Line::against("y", &rounds, 0.5)]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(
            lines[2].contains("| 900/s | 400/s | 0.44") && lines[2].contains("| met"),
            "{text}"
        );
        assert!(lines[3].contains("**missed**"), "{text}");
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(thousands(1_234_567.4), "1,234,567");
        assert_eq!(thousands(999.0), "999");
    }
}
