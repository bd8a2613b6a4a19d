//! A load generator for HTTP that costs little: plain sockets that are kept open, requests written
//! as bytes, and of an answer only the status and the length read.

use std::net::SocketAddr;
use std::sync::Arc;

use daybook_app::world::fresh_id;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::Trouble;
use crate::engine;
use crate::floor::{Floor, close};
use crate::measure::{Client, rate};
use crate::plan::Plan;
use crate::server::{Database, Server};
use crate::service::Service;
use crate::stage::Stage;
use crate::table::{Line, Rounds};

const CONNECTIONS: usize = 64;
const ACCOUNTS: usize = 1000;

/// Who asks, and for which accounts.
#[derive(Clone)]
pub(crate) struct Bank {
    pub(crate) accounts: Arc<[Uuid]>,
    pub(crate) key: Arc<str>,
}

/// Commands over HTTP to the write side in a process of its own, and to one with all roles, which
/// posts meanwhile what it appends.
pub(crate) async fn measure(server: &Server, plan: &Plan) -> Result<Vec<Line>, Trouble> {
    let floor = Floor::on(server, "http_floor").await?;
    let mut lines = Vec::new();
    for (roles, what) in [
        ("command,query", "commands over HTTP, 64 connections"),
        ("command,query,projector", "the same, and one process posts it meanwhile"),
    ] {
        let (database, bank) = open_bank(server.migrated("http").await?).await?;
        let service = Service::start(&database, roles).await?;
        let mut rounds = Rounds::default();
        for round in 1..=plan.rounds {
            server.settle().await?;
            let (base, inserters) = rate(floor.clients(CONNECTIONS, 1).await?, plan.span).await?;
            close(inserters).await?;
            server.settle().await?;
            let (ours, _) = rate(Teller::several(service.address, &bank).await?, plan.span).await?;
            plan.say(&format!("{what}, round {round}: floor {base:.0}/s, ours {ours:.0}/s"));
            rounds.floor.push(base);
            rounds.ours.push(ours);
        }
        drop(service);
        server.drop(database).await?;
        lines.push(if lines.is_empty() {
            Line::against(what, &rounds, 0.4)
        } else {
            Line::told(what, &rounds)
        });
    }
    server.drop(floor.into_database()).await?;
    Ok(lines)
}

/// Opens accounts, and issues a key to a manager, by ordinary commands; all of it is posted.
pub(crate) async fn open_bank(database: Database) -> Result<(Database, Bank), Trouble> {
    let stage = Stage::on(database).await?;
    let worker = stage.work();
    let accounts = engine::accounts(&stage, ACCOUNTS).await?;
    let manager = stage.user("manager").await?;
    let key = stage.engine.issue_key(manager, "bench", &["*".to_owned()]).await?;
    stage.caught_up().await?;
    worker.stop().await?;
    Ok((stage.close().await, Bank { accounts, key: key.secret.into() }))
}

/// A client with a connection of its own.
pub(crate) struct Teller {
    connection: Connection,
    bank: Bank,
    next: usize,
}

impl Teller {
    /// As many as there are connections.
    pub(crate) async fn several(address: SocketAddr, bank: &Bank) -> Result<Vec<Self>, Trouble> {
        let mut tellers = Vec::with_capacity(CONNECTIONS);
        for number in 0..CONNECTIONS {
            tellers.push(Self {
                connection: Connection::open(address).await?,
                bank: bank.clone(),
                next: number * ACCOUNTS / CONNECTIONS,
            });
        }
        Ok(tellers)
    }
}

impl Client for Teller {
    async fn step(&mut self) -> Result<u64, Trouble> {
        let account = self.bank.accounts[self.next % self.bank.accounts.len()];
        self.next += 1;
        let body = r#"{"amount":"12.34","description":"Invoice 00004711, paid at the counter in cash by the owner"}"#;
        let request = format!(
            "POST /v1/banking/accounts/{account}/deposit HTTP/1.1\r\nHost: daybook\r\nAuthorization: Bearer {}\r\nIdempotency-Key: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.bank.key,
            fresh_id(),
            body.len(),
        );
        match self.connection.ask(request.as_bytes()).await? {
            200 => Ok(1),
            status => Err(format!("{status}: {}", self.connection.answer()).into()),
        }
    }
}

/// A connection that is kept.
pub(crate) struct Connection {
    socket: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Opens one.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, Trouble> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        Ok(Self { socket, buffer: Vec::with_capacity(4096) })
    }

    /// Sends a request and reads its whole answer, whose length must be given. Gives the status.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<u16, Trouble> {
        self.socket.write_all(request).await?;
        self.buffer.clear();
        let mut wanted = None;
        while wanted.is_none_or(|wanted| self.buffer.len() < wanted) {
            if self.socket.read_buf(&mut self.buffer).await? == 0 {
                return Err("the service closed the connection".into());
            }
            if wanted.is_none() {
                wanted = length(&self.buffer)?;
            }
        }
        let status = self.buffer.get(9..12).ok_or("no status")?;
        Ok(std::str::from_utf8(status)?.parse()?)
    }

    /// The last answer, for messages.
    fn answer(&self) -> String {
        String::from_utf8_lossy(&self.buffer).into_owned()
    }
}

/// How long the whole answer is, once its head is there.
fn length(buffer: &[u8]) -> Result<Option<usize>, Trouble> {
    let Some(end) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&buffer[..end])?;
    let body = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .ok_or("an answer without a length")?
        .1;
    Ok(Some(end + 4 + body.trim().parse::<usize>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_as_long_as_it_says() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(length(answer).unwrap(), Some(answer.len()));
        assert_eq!(length(&answer[..20]).unwrap(), None);
        assert!(length(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
