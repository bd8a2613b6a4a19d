//! `dc_usage_metrics`: one row a sample, partitioned by the ISO week in which it was measured. Each
//! week of a server is a stream of its own, so each row is written from one stream alone.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use daybook_domain::datacentre::usage::{Point, UsageEvent};
use daybook_store::Recorded;
use uuid::Uuid;

use crate::catalog::{Rows, Touched};
use crate::rows::Fault;
use crate::table::Millionths;

crate::table! {
    /// A row of `dc_usage_metrics`.
    pub struct UsageMetricRow in "dc_usage_metrics", key (id: Uuid), entity id, week recorded_at,
    settled |_| true;
    id: Uuid,
    server_id: Uuid,
    metric_type: Arc<str>,
    value: Millionths,
    unit: Arc<str>,
    recorded_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// The rows of an event.
pub fn touches(event: &UsageEvent, _recorded: &Recorded, touched: &mut Touched) {
    let UsageEvent::Recorded(event) = event;
    for (id, ..) in event.samples() {
        touched.dc_usage_metrics.makes((id,));
    }
}

/// What an event makes of the rows.
///
/// # Errors
/// When the rows are not as the events before left them.
pub fn project(event: &UsageEvent, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let UsageEvent::Recorded(event) = event;
    // Text that all rows of a series share.
    let names: Vec<(Arc<str>, Arc<str>)> = event
        .series
        .iter()
        .map(|series| (series.metric_type.as_str().into(), series.unit.as_str().into()))
        .collect();
    let points = event
        .series
        .iter()
        .zip(&names)
        .flat_map(|(series, names)| series.points.iter().map(move |_| names));
    for ((id, _, Point(measured_at, value)), (metric_type, unit)) in event.samples().zip(points) {
        rows.dc_usage_metrics.insert(UsageMetricRow {
            id,
            server_id: event.server_id,
            metric_type: metric_type.clone(),
            value: Millionths(value.millionths()),
            unit: unit.clone(),
            recorded_at: measured_at,
            created_at: recorded.recorded_at,
            updated_at: recorded.recorded_at,
        })?;
    }
    Ok(())
}
