//! How far each lane is posted, and by whom.

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use crate::catalog::{NAME, VERSION};

/// A lane's checkpoint.
#[derive(Debug, Clone, PartialEq, serde::Serialize, sqlx::FromRow)]
pub struct Checkpoint {
    /// The lane.
    pub lane: i16,
    /// The place in the lane up to which it is posted.
    pub lane_seq: i64,
    /// The position of that event.
    pub position: i64,
    /// How often the lane has changed hands.
    pub epoch: i64,
    /// The worker that owns it.
    pub owner: Option<Uuid>,
    /// Until when, unless renewed.
    pub lease_until: Option<DateTime<Utc>>,
    /// When it last moved.
    pub updated_at: DateTime<Utc>,
}

/// Every lane's checkpoint.
///
/// # Errors
/// When the server does not answer.
pub async fn all(pool: &PgPool) -> Result<Vec<Checkpoint>, sqlx::Error> {
    sqlx::query_as(
        "SELECT lane, lane_seq, position, epoch, owner, lease_until, updated_at
         FROM projector.checkpoints WHERE name = $1 AND version = $2 ORDER BY lane",
    )
    .bind(NAME)
    .bind(VERSION)
    .fetch_all(pool)
    .await
}
