//! The whole read model at the middle of a long log, from the beginning and from an earlier state, and
//! what changed between its first and its last quarter.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use daybook_app::database::migrate;
use daybook_app::world;
use daybook_projector::as_of::{self, Order};
use daybook_projector::between::{self, NetRow};
use daybook_projector::rebuild::{self, Options, Progress, RebuildError};
use daybook_store::Log;

use crate::Trouble;
use crate::history;
use crate::plan::Plan;
use crate::server::Server;
use crate::table::{Line, thousands};

/// The earlier state is so many hundredths of the log before the middle.
const BEFORE: i64 = 1;

/// Writes down when each stage begins.
fn note(stages: &Mutex<Vec<(&str, Duration)>>, begun: Instant, progress: Progress) {
    if let Ok(mut stages) = stages.lock()
        && stages.last().is_none_or(|(last, _)| *last != progress.stage)
    {
        stages.push((progress.stage, begun.elapsed()));
    }
}

pub(crate) async fn measure(server: &Server, plan: &Plan) -> Result<Vec<Line>, Trouble> {
    let history = history::fill(server, "past", plan.events).await?;
    let migrators = migrate::migrators(&history.database.admin()).await?;
    let log = Log::new(migrators.clone());
    // The trail that the states show is the live one.
    let options = Options::new(world::fresh_id(), "bench");
    rebuild::blue_green(&migrators, &log, &options, &|_| ()).await?;
    let head = log.head().await?.position;
    let middle = head / 2;
    let order = |schema: &str, position: i64, from_earlier: bool| Order {
        schema: schema.to_owned(),
        position,
        instant: None,
        lasts: None,
        quota: 0,
        build: "bench".to_owned(),
        from_earlier,
    };
    let begun = Instant::now();
    let whole = as_of::build(&migrators, &log, &order("whole", middle, false), &|_| ()).await?;
    let from_nothing = begun.elapsed();
    as_of::drop("whole", &mut *migrators.acquire().await?).await?;
    let earlier = order("earlier", middle - head * BEFORE / 100, false);
    as_of::build(&migrators, &log, &earlier, &|_| ()).await?;
    let begun = Instant::now();
    let stages = Mutex::new(Vec::new());
    let tell = |progress| note(&stages, begun, progress);
    let again = as_of::build(&migrators, &log, &order("again", middle, true), &tell).await?;
    let from_earlier = begun.elapsed();
    if again.made_from.is_none() || again.digests != whole.digests {
        return Err("the state from an earlier one is another".into());
    }
    let begun = Instant::now();
    let mut rows = 0;
    let each = async |found: Vec<NetRow>| -> Result<(), RebuildError> {
        rows += found.len();
        Ok(())
    };
    between::compare(&log, (head / 4, head / 4 * 3), each, &|_| ()).await?;
    let compared = begun.elapsed();
    plan.say(&format!(
        "past: {from_nothing:?} from the beginning, {from_earlier:?} from an earlier state ({:?}), {compared:?} for {rows} rows",
        stages.into_inner().unwrap_or_default()
    ));
    migrators.close().await;
    server.drop(history.database).await?;
    #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
    let events = thousands(head as f64);
    let line = |what: String, took: Duration, most: u64| {
        let target = format!("≤ {most} s, of 1,000,000");
        let took_text = format!("{:.1} s", took.as_secs_f64());
        Line::bounded(what, took_text, target, took <= Duration::from_secs(most))
    };
    Ok(vec![
        line(
            format!("the whole model at the middle of {events} events, with digests"),
            from_nothing,
            30,
        ),
        line(format!("the same from a state {BEFORE} % of the log before it"), from_earlier, 5),
        line(
            format!("what changed from a quarter to three quarters of {events} events"),
            compared,
            30,
        ),
    ])
}
