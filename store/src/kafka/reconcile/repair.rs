//! Makes the topic what the log says.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::{ReconcileError, Report};
use crate::kafka::relay::{Relay, RelayOptions, missing};
use crate::kafka::{Connection, Topics};
use crate::log::Log;

/// How long nothing may arrive in the topic before filling it is given up.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the head of the log, and then the topic, are looked at.
const LOOKED_AT_EVERY: Duration = Duration::from_millis(200);

/// Publishes what the topic lacks at its ends; where anything else is wrong (or `report` is `None`:
/// there is no topic), the topic is deleted, made again and filled from the log. A relay that is alive
/// does the publishing, else one works here until all is there. Consumers see places of lanes
/// again that they know, and drop them.
///
/// # Errors
/// When brokers or database do not answer, or the topic does not fill.
pub async fn repair(
    log: &Log,
    connection: &Connection,
    report: Option<&Report>,
    options: RelayOptions,
) -> Result<(), ReconcileError> {
    if report.is_some_and(|report| !report.only_lacks_its_end()) {
        Topics::new(connection)?.make_events_again().await?;
    }
    let head = log.head().await?;
    let follow = log.follow(LOOKED_AT_EVERY);
    let cancel = CancellationToken::new();
    let relay = Relay::new(log.clone(), connection.clone(), follow.head(), options);
    let relaying = tokio::spawn(relay.run(cancel.clone()));
    let filled = filled(log, connection, &head.lane_heads).await;
    cancel.cancel();
    relaying.await?;
    filled
}

/// Until every lane has come as far as the log had.
async fn filled(log: &Log, connection: &Connection, wanted: &[i64]) -> Result<(), ReconcileError> {
    let mut reached = -1;
    let mut since = Instant::now();
    loop {
        let said = match missing(log, connection, wanted).await {
            Ok(0) => return Ok(()),
            Ok(lacks) => {
                if reached != lacks {
                    (reached, since) = (lacks, Instant::now());
                }
                format!("{lacks} events are still missing")
            }
            Err(error) => error.to_string(),
        };
        if since.elapsed() > PATIENCE {
            return Err(ReconcileError::NotFilled(said));
        }
        tokio::time::sleep(LOOKED_AT_EVERY).await;
    }
}
