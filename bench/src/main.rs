//! Floors and ours, measured in one run on one private PostgreSQL, in turns, as medians of rounds.
//!
//! A floor is what anybody would have without Daybook: the plainest statements on the plainest
//! tables. Ours is what `daybook serve` is made of, with its settings. Both see the same server,
//! the same machine at the same time, and data of the same size.

mod append;
mod engine;
mod facts;
mod floor;
mod history;
mod http;
mod kafka;
mod measure;
mod memory;
mod past;
mod plan;
mod post;
mod read;
mod rebuild;
mod relay;
mod replay;
mod rows;
mod server;
mod service;
mod snapshot;
mod stage;
mod table;
mod throttled;
mod visible;
mod workload;

use std::process::ExitCode;

use clap::Parser;

use crate::plan::{Arguments, GROUPS, Plan};
use crate::server::Server;
use crate::table::Line;

/// Why a measurement came to nothing. Whoever runs it reads the text; nobody acts on its kind.
pub(crate) type Trouble = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let plan = Arguments::parse().plan();
    if let Some(name) = plan.unknown() {
        eprintln!("there is no group {name}; there are {}", GROUPS.join(", "));
        return ExitCode::from(2);
    }
    if cfg!(debug_assertions) {
        eprintln!("built without optimisation: run it with --release, or believe nothing of it");
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    // However it ends, the server's folder goes with the runtime's last value.
    let ended = runtime.block_on(async {
        tokio::select! {
            ended = run(&plan) => ended,
            _ = tokio::signal::ctrl_c() => Err("stopped".into()),
        }
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(plan: &Plan) -> Result<(), Trouble> {
    let begun = std::time::Instant::now();
    let server = Server::start().await?;
    let mut lines = Vec::new();
    writing(&server, plan, &mut lines).await?;
    long_log(&server, plan, &mut lines).await?;
    posting(&server, plan, &mut lines).await?;
    print!("{}", facts::of(&server, plan, begun));
    println!();
    print!("{}", table::markdown(&lines));
    Ok(())
}

async fn writing(server: &Server, plan: &Plan, lines: &mut Vec<Line>) -> Result<(), Trouble> {
    if plan.wants("append") {
        lines.extend(append::measure(server, plan).await?);
    }
    if plan.wants("engine") {
        lines.extend(engine::measure(server, plan).await?);
    }
    if plan.wants("http") {
        lines.extend(http::measure(server, plan).await?);
    }
    Ok(())
}

async fn long_log(server: &Server, plan: &Plan, lines: &mut Vec<Line>) -> Result<(), Trouble> {
    let history = if plan.wants("growth") {
        let (history, line) = history::grow(server, plan).await?;
        lines.push(line);
        history
    } else if ["read", "replay", "memory"].iter().any(|group| plan.wants(group)) {
        history::fill(server, "history", plan.events).await?
    } else {
        return Ok(());
    };
    if plan.wants("read") {
        lines.extend(read::measure(&history, plan).await?);
    }
    if plan.wants("replay") {
        lines.extend(replay::measure(&history, plan).await?);
    }
    if plan.wants("memory") {
        lines.push(memory::measure(history, plan).await?);
    }
    server.drop_named("history").await
}

async fn posting(server: &Server, plan: &Plan, lines: &mut Vec<Line>) -> Result<(), Trouble> {
    if plan.wants("post") || plan.wants("rebuild") {
        post::prepare(server, plan).await?;
    }
    if plan.wants("post") {
        lines.extend(post::measure(server, plan).await?);
    }
    if plan.wants("rebuild") {
        lines.extend(rebuild::measure(server, plan).await?);
    }
    server.drop_named(post::UNPOSTED).await?;
    if plan.wants("past") {
        lines.extend(past::measure(server, plan).await?);
    }
    if plan.wants("throttled") {
        lines.extend(throttled::measure(server, plan).await?);
    }
    if plan.wants("visible") {
        lines.extend(visible::measure(server, plan).await?);
    }
    if plan.wants("snapshot") {
        lines.extend(snapshot::measure(server, plan).await?);
    }
    if plan.wants("relay") {
        lines.extend(relay::measure(server, plan).await?);
    }
    if plan.wants("kafka") {
        lines.extend(kafka::measure(server, plan).await?);
    }
    Ok(())
}
