//! Appending through the log, against the floor with as many clients.

use daybook_store::Appender;
use uuid::Uuid;

use crate::Trouble;
use crate::floor::{Floor, close};
use crate::measure::{Client, rate};
use crate::plan::Plan;
use crate::server::Server;
use crate::stage::Stage;
use crate::table::{Line, Rounds};
use crate::workload::Streams;

/// Clients, and the ratio to reach.
const TARGETS: [(usize, f64); 4] = [(1, 0.4), (8, 0.75), (64, 1.4), (256, 2.0)];

/// Events in one request of the last line.
const LARGE: usize = 100;

/// A client of the log.
pub(crate) struct Writer {
    appender: Appender,
    streams: Streams,
    /// Events in one request.
    events: usize,
}

impl Writer {
    /// So many of them.
    pub(crate) fn several(stage: &Stage, owner: Uuid, count: usize, events: usize) -> Vec<Self> {
        (0..count)
            .map(|_| Self {
                appender: stage.engine.appender().clone(),
                streams: Streams::of(owner),
                events,
            })
            .collect()
    }

    /// So many of them, each event a request of its own.
    pub(crate) fn of_accounts(stage: &Stage, owner: Uuid, count: usize) -> Vec<Self> {
        Self::several(stage, owner, count, 1)
    }

    /// The same, each with one stream that has no end.
    pub(crate) fn of_one_stream_each(stage: &Stage, owner: Uuid, count: usize) -> Vec<Self> {
        let mut writers = Self::of_accounts(stage, owner, count);
        for writer in &mut writers {
            writer.streams = Streams::with_length(owner, i64::MAX);
        }
        writers
    }
}

impl Client for Writer {
    async fn step(&mut self) -> Result<u64, Trouble> {
        let request = if self.events == 1 {
            self.streams.request()
        } else {
            self.streams.large_request(self.events)
        };
        self.appender.append(request).await?;
        Ok(u64::try_from(self.events)?)
    }
}

/// One event a request, with 1, 8, 64 and 256 clients; then large requests.
pub(crate) async fn measure(server: &Server, plan: &Plan) -> Result<Vec<Line>, Trouble> {
    let floor = Floor::on(server, "append_floor").await?;
    let stage = Stage::on(server.migrated("append").await?).await?;
    let owner = stage.user("owner").await?;
    let kinds: Vec<(usize, usize, f64)> = TARGETS
        .iter()
        .map(|(clients, target)| (*clients, 1, *target))
        .chain([(8, LARGE, 0.4)])
        .collect();
    let mut measured = vec![Rounds::default(); kinds.len()];
    for round in 0..plan.rounds {
        for ((clients, events, _), rounds) in kinds.iter().zip(&mut measured) {
            server.settle().await?;
            let inserters = floor.clients(*clients, *events).await?;
            let (base, inserters) = rate(inserters, plan.span).await?;
            close(inserters).await?;
            server.settle().await?;
            let writers = Writer::several(&stage, owner, *clients, *events);
            let (ours, _) = rate(writers, plan.span).await?;
            plan.say(&format!(
                "append, {clients} clients × {events}, round {}: floor {base:.0}/s, ours {ours:.0}/s",
                round + 1
            ));
            rounds.floor.push(base);
            rounds.ours.push(ours);
        }
    }
    server.drop(stage.close().await).await?;
    server.drop(floor.into_database()).await?;
    Ok(kinds
        .iter()
        .zip(&measured)
        .map(|((clients, events, target), rounds)| {
            Line::against(what(*clients, *events), rounds, *target)
        })
        .collect())
}

fn what(clients: usize, events: usize) -> String {
    match (clients, events) {
        (1, 1) => "append, 1 client".to_owned(),
        (_, 1) => format!("append, {clients} clients"),
        _ => format!("append, {events} events a request, {clients} clients, in events"),
    }
}
