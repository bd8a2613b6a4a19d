//! The schema: this binary's migrations, and partitions ahead of need.

use super::{Finding, Found};
use crate::database::Pools;
use crate::database::migrate::{self, MigrationState, Standing};

/// Whether the schema is one to go on with.
pub(super) async fn examine(pools: &Pools, findings: &mut Vec<Finding>) -> bool {
    let states = async {
        let mut connection = pools.maintenance.acquire().await?;
        migrate::status(&mut connection).await
    };
    let finding = match states.await {
        Ok(states) => judge(&states),
        Err(error) => Finding::fail("migrations", error.to_string(), "run `daybook migrate up`"),
    };
    let sound = finding.mend.is_empty();
    findings.push(finding);
    sound
}

fn judge(states: &[MigrationState]) -> Finding {
    let of = |standing| {
        let versions: Vec<_> = states
            .iter()
            .filter(|state| state.standing == standing)
            .map(|state| format!("{:04}", state.version))
            .collect();
        versions.join(" ")
    };
    let (pending, changed, unknown) =
        (of(Standing::Pending), of(Standing::Changed), of(Standing::Unknown));
    if !changed.is_empty() {
        Finding::fail(
            "migrations",
            format!("applied with another text: {changed}"),
            "a merged migration was edited: use the binary that applied it, or restore its text",
        )
    } else if !unknown.is_empty() {
        Finding::fail(
            "migrations",
            format!("unknown to this binary: {unknown}"),
            "the schema is newer than this daybook: use the newer one",
        )
    } else if pending.is_empty() {
        Finding::ok("migrations", format!("{} applied", states.len()))
    } else {
        Finding::fail("migrations", format!("missing: {pending}"), "run `daybook migrate up`")
    }
}

/// The partition of the running month or week is a must, that of the next one is soon.
pub(super) async fn partitions(pools: &Pools) -> Found {
    let missing: Vec<(String, bool)> =
        sqlx::query_as(include_str!("partitions.sql")).fetch_all(&pools.maintenance).await?;
    if missing.is_empty() {
        return Ok(vec![Finding::ok("partitions", "made for now and the time after")]);
    }
    let mend = "run `daybook upkeep`; a `daybook serve` with the role command makes them hourly: look for \"upkeep\" in its log";
    Ok(missing
        .into_iter()
        .map(|(name, now)| {
            if now {
                Finding::fail("partitions", format!("{name} is missing, and needed now"), mend)
            } else {
                Finding::warn("partitions", format!("{name} is missing, and needed soon"), mend)
            }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    fn states(standings: &[Standing]) -> Vec<MigrationState> {
        (1..)
            .zip(standings)
            .map(|(version, standing)| MigrationState {
                version,
                description: "test".into(),
                applied_at: None,
                standing: *standing,
            })
            .collect()
    }

    #[test]
    fn the_worst_is_named_first() {
        use Standing::{Applied, Changed, Pending, Unknown};
        assert_eq!(judge(&states(&[Applied, Applied])).state, State::Ok);
        assert!(judge(&states(&[Applied, Pending])).detail.contains("missing: 0002"));
        assert!(judge(&states(&[Applied, Pending, Unknown])).detail.contains("unknown"));
        assert!(judge(&states(&[Changed, Pending, Unknown])).detail.contains("another text: 0001"));
    }
}
