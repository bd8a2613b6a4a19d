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
mod measure;
mod plan;
mod read;
mod server;
mod stage;
mod table;
mod workload;

use std::process::ExitCode;

use clap::Parser;

use crate::plan::{Arguments, GROUPS, Plan};
use crate::server::Server;

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
    if plan.wants("append") {
        lines.extend(append::measure(&server, plan).await?);
    }
    if plan.wants("engine") {
        lines.extend(engine::measure(&server, plan).await?);
    }
    let history = if plan.wants("growth") {
        let (history, line) = history::grow(&server, plan).await?;
        lines.push(line);
        Some(history)
    } else if plan.wants("read") || plan.wants("memory") {
        Some(history::fill(&server, "history", plan.events).await?)
    } else {
        None
    };
    if let Some(history) = &history
        && plan.wants("read")
    {
        lines.extend(read::measure(history, plan).await?);
    }
    print!("{}", facts::of(&server, plan, begun));
    println!();
    print!("{}", table::markdown(&lines));
    Ok(())
}
