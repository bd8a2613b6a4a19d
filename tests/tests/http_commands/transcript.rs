//! What the log says happened to accounts, checked line by line.

use std::collections::HashMap;

use sqlx::Row as _;
use uuid::Uuid;

use crate::support::House;

/// One movement of money, as the log has it.
#[derive(Debug, Clone)]
pub struct Movement {
    pub position: i64,
    pub stream: Uuid,
    pub event_type: String,
    pub signed: i64,
    pub balance_after: i64,
    pub command: Uuid,
}

impl House {
    /// Every movement of money, in order. Checks that positions and versions have no holes, and
    /// that each balance follows from the one before.
    pub async fn movements(&self) -> Vec<Movement> {
        let mut superuser = self.database.superuser().await;
        let rows = sqlx::query(
            "SELECT position, stream_id, version, event_type, command_id,
                    CASE data->>'direction' WHEN 'credit' THEN 1 ELSE -1 END
                        * ((data->>'amount')::numeric * 100)::bigint AS signed,
                    ((data->>'balance_after')::numeric * 100)::bigint AS balance_after
             FROM journal.events ORDER BY position",
        )
        .fetch_all(&mut superuser)
        .await
        .expect("the log");
        let (mut movements, mut versions) = (Vec::new(), HashMap::new());
        let mut balances: HashMap<Uuid, i64> = HashMap::new();
        for (n, row) in rows.iter().enumerate() {
            let (position, stream): (i64, Uuid) = (row.get(0), row.get(1));
            assert_eq!(position, n as i64 + 1, "positions are dense");
            let version = versions.entry(stream).or_insert(0_i64);
            *version += 1;
            assert_eq!(row.get::<i64, _>(2), *version, "versions are dense at {position}");
            let Some(balance_after) = row.get::<Option<i64>, _>(6) else { continue };
            let (event_type, signed): (String, i64) = (row.get(3), row.get(5));
            let balance = balances.entry(stream).or_insert(0);
            *balance += signed;
            assert_eq!(*balance, balance_after, "an update was lost at {position}");
            let command = row.get(4);
            movements.push(Movement {
                position,
                stream,
                event_type,
                signed,
                balance_after,
                command,
            });
        }
        movements
    }
}
