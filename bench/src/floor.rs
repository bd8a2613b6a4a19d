//! The floor for appending: a prepared INSERT into a bare table, in a transaction of its own.

use sqlx::postgres::PgConnectOptions;
use sqlx::types::Json;
use sqlx::{ConnectOptions, Connection, PgConnection};
use uuid::Uuid;

use crate::Trouble;
use crate::measure::Client;
use crate::server::{Database, Server};
use crate::workload::{Place, Streams, metadata, raw};

/// The bare table: an identity column, and nothing unique but (stream, version).
const TABLE: &str = "CREATE TABLE events (
    position bigint GENERATED ALWAYS AS IDENTITY,
    stream_id uuid NOT NULL,
    version bigint NOT NULL,
    event_type text NOT NULL,
    data jsonb NOT NULL,
    metadata jsonb NOT NULL,
    UNIQUE (stream_id, version)
)";

const INSERT: &str = "INSERT INTO events (stream_id, version, event_type, data, metadata) VALUES ($1, $2, $3, $4, $5)";

const INSERT_MANY: &str = "INSERT INTO events (stream_id, version, event_type, data, metadata)
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::jsonb[], $5::jsonb[])";

/// A database with the bare table.
pub(crate) struct Floor {
    database: Database,
    owner: Uuid,
}

/// A client with a connection of its own.
pub(crate) struct Inserter {
    connection: PgConnection,
    streams: Streams,
    owner: Uuid,
    /// Rows in one statement.
    rows: usize,
}

impl Floor {
    /// Makes it.
    pub(crate) async fn on(server: &Server, name: &str) -> Result<Self, Trouble> {
        let database = server.database(name, "template0").await?;
        let mut connection = database.admin().connect().await?;
        sqlx::raw_sql(TABLE).execute(&mut connection).await?;
        connection.close().await?;
        Ok(Self { database, owner: Uuid::from_u128(1) })
    }

    /// So many clients, each inserting so many rows a statement.
    pub(crate) async fn clients(
        &self,
        count: usize,
        rows: usize,
    ) -> Result<Vec<Inserter>, Trouble> {
        let options: PgConnectOptions = self.database.admin();
        let mut clients = Vec::with_capacity(count);
        for _ in 0..count {
            clients.push(Inserter {
                connection: options.connect().await?,
                streams: Streams::of(self.owner),
                owner: self.owner,
                rows,
            });
        }
        Ok(clients)
    }

    /// Gives up the table and its database.
    pub(crate) fn into_database(self) -> Database {
        self.database
    }
}

/// Ends the clients' connections.
pub(crate) async fn close(clients: Vec<Inserter>) -> Result<(), Trouble> {
    for client in clients {
        client.connection.close().await?;
    }
    Ok(())
}

impl Inserter {
    async fn one(&mut self) -> Result<(), Trouble> {
        let Place { stream, before, event } = self.streams.next();
        sqlx::query(INSERT)
            .bind(stream)
            .bind(before + 1)
            .bind(event.event_type)
            .bind(Json(raw(event.data)?))
            .bind(Json(raw(metadata(self.owner))?))
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    async fn many(&mut self) -> Result<(), Trouble> {
        let (mut ids, mut versions, mut types) = (Vec::new(), Vec::new(), Vec::new());
        let (mut data, mut about) = (Vec::new(), Vec::new());
        for _ in 0..self.rows {
            let Place { stream, before, event } = self.streams.next();
            ids.push(stream);
            versions.push(before + 1);
            types.push(event.event_type);
            data.push(Json(raw(event.data)?));
            about.push(Json(raw(metadata(self.owner))?));
        }
        sqlx::query(INSERT_MANY)
            .bind(ids)
            .bind(versions)
            .bind(types)
            .bind(data)
            .bind(about)
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }
}

impl Client for Inserter {
    async fn step(&mut self) -> Result<u64, Trouble> {
        if self.rows == 1 {
            self.one().await?
        } else {
            self.many().await?
        }
        Ok(u64::try_from(self.rows)?)
    }
}
