//! Commands decided by the domain in this process: 64 clients on one stream.

use std::sync::Arc;

use daybook_command::{Engine, Intake};
use daybook_domain::context::Actor;
use daybook_http::Caller;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::Trouble;
use crate::floor::{Floor, close};
use crate::measure::{Client, rate};
use crate::plan::Plan;
use crate::server::Server;
use crate::stage::Stage;
use crate::table::{Line, Rounds};
use daybook_app::world::fresh_id;

const CLIENTS: usize = 64;

/// One hot stream against one-row inserts with as many clients.
pub(crate) async fn measure(server: &Server, plan: &Plan) -> Result<Vec<Line>, Trouble> {
    let floor = Floor::on(server, "engine_floor").await?;
    let stage = Stage::on(server.migrated("engine").await?).await?;
    let account = accounts(&stage, 1).await?;
    let mut rounds = Rounds::default();
    for round in 1..=plan.rounds {
        server.settle().await?;
        let (base, inserters) = rate(floor.clients(CLIENTS, 1).await?, plan.span).await?;
        close(inserters).await?;
        let clients = (0..CLIENTS)
            .map(|_| Depositor {
                engine: Arc::clone(&stage.engine),
                accounts: account.clone(),
                next: 0,
            })
            .collect();
        let (ours, _) = rate::<Depositor>(clients, plan.span).await?;
        plan.say(&format!("hot stream, round {round}: floor {base:.0}/s, ours {ours:.0}/s"));
        rounds.floor.push(base);
        rounds.ours.push(ours);
    }
    server.drop(stage.close().await).await?;
    server.drop(floor.into_database()).await?;
    Ok(vec![Line::against("one hot stream, 64 clients, decided by the domain", &rounds, 0.15)])
}

/// Pays into one account after the other.
pub(crate) struct Depositor {
    pub(crate) engine: Arc<Engine>,
    pub(crate) accounts: Arc<[Uuid]>,
    pub(crate) next: usize,
}

impl Client for Depositor {
    async fn step(&mut self) -> Result<u64, Trouble> {
        let account = self.accounts[self.next % self.accounts.len()];
        self.next += 1;
        deposit(&self.engine, account, None).await?;
        Ok(1)
    }
}

/// Pays something in, as a transaction of this id where one is given. Gives its position.
pub(crate) async fn deposit(
    engine: &Engine,
    account: Uuid,
    transaction: Option<Uuid>,
) -> Result<i64, Trouble> {
    let fields = json!({
        "amount": "12.34",
        "transaction_id": transaction,
        "description": "Invoice 00004711, paid at the counter in cash by the owner",
    });
    let accepted = command(engine, "deposit", Some(account), fields).await?;
    Ok(accepted.position)
}

/// Opens accounts of a new owner.
pub(crate) async fn accounts(stage: &Stage, count: usize) -> Result<Arc<[Uuid]>, Trouble> {
    let owner = stage.user(&format!("owner-{}", fresh_id().simple())).await?;
    let mut opened = Vec::with_capacity(count);
    for _ in 0..count {
        let fields = json!({
            "user_id": owner, "account_name": "Daily", "account_type": "checking",
            "account_number": fresh_id().simple().to_string(), "currency": "CZK",
        });
        opened.push(command(&stage.engine, "open", None, fields).await?.stream_id);
    }
    Ok(opened.into())
}

async fn command(
    engine: &Engine,
    name: &str,
    stream: Option<Uuid>,
    fields: Value,
) -> Result<daybook_store::Appended, Trouble> {
    let fields: Map<String, Value> = match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    let intake = Intake {
        caller: caller(),
        kind: crate::workload::KIND.to_owned(),
        name: name.to_owned(),
        stream,
        command_id: Some(fresh_id()),
        fields,
        if_match: None,
        dry_run: false,
    };
    let order = engine.order(intake).await?;
    Ok(engine.submit(order).await?.appended)
}

fn caller() -> Caller {
    Caller {
        actor: Actor::system(),
        ip_address: None,
        user_agent: Some("daybook-bench/1.0".to_owned()),
        correlation_id: fresh_id(),
        session_id: None,
        traceparent: None,
    }
}
