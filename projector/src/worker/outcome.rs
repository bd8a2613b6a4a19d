//! What becomes of a batch: posted, dropped with its lanes, undone and tried again, or parked.

use std::collections::BTreeMap;

use daybook_store::Recorded;

use super::PostError;
use super::batch::Batch;
use super::lanes::{Lane, Lanes};
use super::run::{Trouble, Worker};
use crate::parked;

impl Worker {
    pub(super) async fn post(&mut self, batch: Batch) -> Result<(), Trouble> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        if batch.events.is_empty() {
            return Ok(());
        }
        let moves = batch.moves();
        let epochs: BTreeMap<i16, i64> =
            self.lanes.own.iter().map(|(number, lane)| (*number, lane.epoch)).collect();
        // What comes before a parked event may be posted long after it was parked.
        let passes = |seq: i64, lane: &Lane| lane.parked_row.is_some_and(|parked| parked <= seq);
        let unparked: Vec<i16> = moves
            .iter()
            .filter(|moved| {
                self.lanes.own.get(&moved.lane).is_some_and(|lane| passes(moved.lane_seq, lane))
            })
            .map(|moved| moved.lane)
            .collect();
        let outcome = self.poster.post(&batch, &epochs, &unparked, connection, &self.pool).await;
        match outcome {
            Ok(rows) => {
                metrics::counter!("daybook_projector_events_total")
                    .increment(batch.events.len() as u64);
                metrics::counter!("daybook_projector_rows_total").increment(rows as u64);
                for moved in moves {
                    if let Some(lane) = self.lanes.own.get_mut(&moved.lane) {
                        lane.posted.lane_seq = moved.lane_seq;
                        lane.posted.position = moved.position;
                        if passes(moved.lane_seq, lane) {
                            lane.parked_row = None;
                        }
                    }
                }
                Ok(())
            }
            Err(error) => self.failed(batch, error).await,
        }
    }

    async fn failed(&mut self, batch: Batch, error: PostError) -> Result<(), Trouble> {
        match error {
            PostError::Fenced => {
                tracing::info!("another worker owns a lane of the batch: dropped");
                self.lanes = Lanes::default();
                self.balance().await?;
            }
            PostError::Event { index, reason } => {
                let culprit = batch.events.get(index).cloned();
                batch.undo(&mut self.lanes);
                if let Some(event) = culprit {
                    self.park(&event, &reason).await?;
                }
            }
            PostError::Refused(reason) => {
                let culprit = (batch.events.len() == 1).then(|| batch.events[0].clone());
                self.careful_to = batch.events.last().map_or(0, |event| event.position);
                batch.undo(&mut self.lanes);
                if let Some(event) = culprit {
                    self.park(&event, &reason).await?;
                }
            }
            PostError::Database(error) => {
                batch.undo(&mut self.lanes);
                let again = error.as_database_error().and_then(|error| error.code());
                if !matches!(again.as_deref(), Some("40001" | "40P01")) {
                    // Whether the commit took effect is not known: start from the checkpoints.
                    self.lanes = Lanes::default();
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }

    async fn park(&mut self, event: &Recorded, reason: &str) -> Result<(), Trouble> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        tracing::error!(
            lane = event.lane, position = event.position, event = %event.event_type, reason,
            "an event could not be posted: it is parked, and its lane stops"
        );
        parked::park(event, reason, connection).await?;
        if let Some(lane) = self.lanes.own.get_mut(&event.lane) {
            lane.parked_at = Some(event.lane_seq);
            lane.parked_row = Some(event.lane_seq);
        }
        Ok(())
    }
}
