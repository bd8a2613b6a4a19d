//! Reading: a stream loaded and folded, and the whole log replayed. The floor reads a copy of the
//! same events in a bare table.

use std::time::Instant;

use daybook_command::load;
use daybook_domain::banking::account::Account;
use daybook_store::{Log, Metadata};
use futures::{StreamExt, pin_mut};
use serde_json::value::RawValue;
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::types::Json;
use sqlx::{ConnectOptions, Connection, PgConnection, Row};
use uuid::Uuid;

use crate::Trouble;
use crate::history::History;
use crate::measure::{Client, per_second, rate};
use crate::plan::Plan;
use crate::stage::Stage;
use crate::table::{Line, Rounds, thousands};
use crate::workload::{KIND, STREAM_EVENTS, typed};

const CLIENTS: usize = 8;
/// Events of one page of the floor's replay.
const PAGE: i64 = 1000;

/// The floor's table: the same events, and metadata as one JSON, bare but for the two indexes that
/// its two questions need.
const COPY: &str = "
    CREATE SCHEMA floor;
    CREATE TABLE floor.events (
        position bigint NOT NULL, stream_id uuid NOT NULL, version bigint NOT NULL,
        event_type text NOT NULL, schema_version smallint NOT NULL, recorded_at timestamptz NOT NULL,
        data jsonb NOT NULL, metadata jsonb NOT NULL
    );
    INSERT INTO floor.events
    SELECT position, stream_id, version, event_type, schema_version, recorded_at, data,
        jsonb_build_object('actor_id', actor_id, 'correlation_id', correlation_id, 'user_agent', user_agent)
    FROM journal.events WHERE event_type LIKE 'banking.account.%' ORDER BY position;
    ALTER TABLE floor.events ADD UNIQUE (stream_id, version);
    ALTER TABLE floor.events ADD PRIMARY KEY (position);
    VACUUM (ANALYZE) floor.events;
    CHECKPOINT";

/// Measures both.
pub(crate) async fn measure(history: &History, plan: &Plan) -> Result<Vec<Line>, Trouble> {
    let stage = Stage::on(history.database.clone()).await?;
    let options = history.database.admin();
    let mut administrator = options.connect().await?;
    for statement in COPY.split(';') {
        sqlx::raw_sql(statement).execute(&mut administrator).await?;
    }
    let streams = full_streams(&mut administrator).await?;
    let (mut load, mut replay) = (Rounds::default(), Rounds::default());
    for round in 1..=plan.rounds {
        let (base, selects) = rate(Select::several(&options, &streams).await?, plan.span).await?;
        for select in selects {
            select.connection.close().await?;
        }
        let (ours, _) = rate(Load::several(stage.engine.log(), &streams), plan.span).await?;
        plan.say(&format!("load, round {round}: floor {base:.0}/s, ours {ours:.0}/s"));
        load.floor.push(base);
        load.ours.push(ours);
    }
    for round in 1..=plan.rounds {
        let base = replay_floor(&mut administrator).await?;
        let ours = replay_ours(stage.engine.log()).await?;
        plan.say(&format!("replay, round {round}: floor {base:.0}/s, ours {ours:.0}/s"));
        replay.floor.push(base);
        replay.ours.push(ours);
    }
    sqlx::raw_sql("DROP SCHEMA floor CASCADE").execute(&mut administrator).await?;
    administrator.close().await?;
    stage.close().await;
    #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
    let events = thousands(history.events as f64);
    Ok(vec![
        Line::against("load and fold a stream of 10 events, 8 clients, no cache", &load, 0.7),
        Line::against(format!("replay {events} events, typed and parsed"), &replay, 0.8),
    ])
}

/// Streams with all their events, in no order.
async fn full_streams(connection: &mut PgConnection) -> Result<Vec<Uuid>, Trouble> {
    Ok(sqlx::query_scalar(
        "SELECT stream_id FROM journal.streams WHERE kind = $1 AND version = $2
         ORDER BY md5(stream_id::text) LIMIT 20000",
    )
    .bind(KIND)
    .bind(STREAM_EVENTS)
    .fetch_all(connection)
    .await?)
}

/// Asks for one stream's rows, plainly.
struct Select {
    connection: PgConnection,
    streams: Vec<Uuid>,
    next: usize,
}

impl Select {
    async fn several(options: &PgConnectOptions, streams: &[Uuid]) -> Result<Vec<Self>, Trouble> {
        let mut clients = Vec::new();
        for number in 0..CLIENTS {
            clients.push(Self {
                connection: options.connect().await?,
                streams: streams.to_vec(),
                next: number * streams.len() / CLIENTS,
            });
        }
        Ok(clients)
    }
}

impl Client for Select {
    async fn step(&mut self) -> Result<u64, Trouble> {
        let stream = self.streams[self.next % self.streams.len()];
        self.next += 1;
        let rows = sqlx::query(
            "SELECT position, stream_id, version, event_type, schema_version, recorded_at, data, metadata
             FROM floor.events WHERE stream_id = $1 ORDER BY version",
        )
        .bind(stream)
        .fetch_all(&mut self.connection)
        .await?;
        if i64::try_from(rows.len())? == STREAM_EVENTS {
            Ok(1)
        } else {
            Err("not ten events".into())
        }
    }
}

/// Loads a stream as the write side does that does not have it in its cache.
struct Load {
    log: Log,
    streams: Vec<Uuid>,
    next: usize,
}

impl Load {
    fn several(log: &Log, streams: &[Uuid]) -> Vec<Self> {
        (0..CLIENTS)
            .map(|number| Self {
                log: log.clone(),
                streams: streams.to_vec(),
                next: number * streams.len() / CLIENTS,
            })
            .collect()
    }
}

impl Client for Load {
    async fn step(&mut self) -> Result<u64, Trouble> {
        let stream = self.streams[self.next % self.streams.len()];
        self.next += 1;
        let loaded = load::stream::<Account>(&self.log, stream).await?;
        if loaded.version == STREAM_EVENTS { Ok(1) } else { Err("not ten events".into()) }
    }
}

/// Pages of a thousand, each event and its metadata parsed.
async fn replay_floor(connection: &mut PgConnection) -> Result<f64, Trouble> {
    let begun = Instant::now();
    let (mut after, mut events) = (0_i64, 0_i64);
    loop {
        let rows = sqlx::query(
            "SELECT position, stream_id, version, event_type, schema_version, recorded_at, data, metadata
             FROM floor.events WHERE position > $1 ORDER BY position LIMIT $2",
        )
        .bind(after)
        .bind(PAGE)
        .fetch_all(&mut *connection)
        .await?;
        if rows.is_empty() {
            return Ok(per_second(events, begun));
        }
        for row in &rows {
            parse(row)?;
            after = row.try_get(0)?;
            events += 1;
        }
    }
}

/// Everything in the row is read, as ours is.
fn parse(row: &PgRow) -> Result<(), Trouble> {
    let (stream, version): (Uuid, i64) = (row.try_get(1)?, row.try_get(2)?);
    let (name, shape): (String, i16) = (row.try_get(3)?, row.try_get(4)?);
    let at: chrono::DateTime<chrono::Utc> = row.try_get(5)?;
    let Json(data): Json<&RawValue> = row.try_get(6)?;
    let Json(about): Json<Metadata> = row.try_get(7)?;
    let event = typed(&name, shape, data.get())?;
    std::hint::black_box((stream, version, at, about, event));
    Ok(())
}

async fn replay_ours(log: &Log) -> Result<f64, Trouble> {
    let head = log.head().await?.position;
    let begun = Instant::now();
    let mut events = 0_i64;
    let pages = log.copy(0, head);
    pin_mut!(pages);
    while let Some(page) = pages.next().await {
        for recorded in page? {
            events += 1;
            if recorded.kind() == KIND {
                let event =
                    typed(&recorded.event_type, recorded.schema_version, recorded.data.get())?;
                std::hint::black_box(&event);
            }
            std::hint::black_box(&recorded);
        }
    }
    Ok(per_second(events, begun))
}
