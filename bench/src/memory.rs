//! Memory of the whole service, all roles in one process, once it has posted the long log and
//! taken commands for a while.

use std::time::{Duration, Instant};

use daybook_app::config::Settings;
use daybook_projector::Posted;

use crate::Trouble;
use crate::history::History;
use crate::http::{Teller, open_bank};
use crate::measure::rate;
use crate::plan::Plan;
use crate::service::Service;
use crate::table::{Line, thousands};

const MEBIBYTE: u64 = 1 << 20;
/// What it may hold.
const BOUND: u64 = 300 * MEBIBYTE;
/// The longest that posting the whole log may take.
const PATIENCE: Duration = Duration::from_secs(1800);

/// What the process holds at the end.
pub(crate) async fn measure(history: History, plan: &Plan) -> Result<Line, Trouble> {
    let events = history.events;
    let pools = history.database.pools(&Settings::default()).await?;
    let service = Service::start(&history.database, "command,query,projector").await?;
    let posted = Posted::new(pools.projector.clone());
    let begun = Instant::now();
    loop {
        let lag = posted.lag().await?;
        if lag.events == 0 {
            break;
        }
        if begun.elapsed() > PATIENCE {
            return Err(format!("{} events are not posted after half an hour", lag.events).into());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    pools.close().await;
    let after_posting = service.memory()?;
    plan.say(&format!(
        "memory: posted in {:.0} s, then {} MiB",
        begun.elapsed().as_secs_f64(),
        after_posting.resident / MEBIBYTE
    ));
    let (_, bank) = open_bank(history.database).await?;
    rate(Teller::several(service.address, &bank).await?, plan.span).await?;
    let memory = service.memory()?;
    #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
    let events = thousands(events as f64);
    Ok(Line::bounded(
        format!("resident memory of the whole service after {events} events"),
        format!("{} MiB (at most {} MiB)", memory.resident / MEBIBYTE, memory.highest / MEBIBYTE),
        "≤ 300 MiB",
        memory.resident <= BOUND,
    ))
}
