//! Runs with faults, one after the other, each added to a file: stop it and start it again as you
//! like, the file adds up.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use daybook_tests::faults::{Ledger, Plan, Told, run};

/// Disturb real processes under load, and check that nothing is lost or done twice
#[derive(Debug, Parser)]
#[command(
    after_help = "Example: cargo run --release --workspace --bin daybook-faults -- --kills 200 --commands 300000"
)]
struct Arguments {
    /// The seed of the first run; the next ones count on
    #[arg(long)]
    seed: Option<u64>,
    /// Goes on until so many processes were killed in all runs of the file
    #[arg(long, default_value_t = 20)]
    kills: u64,
    /// And until so many commands were accepted in all runs of the file
    #[arg(long, default_value_t = 10_000)]
    commands: u64,
    /// Commands of one run
    #[arg(long, default_value_t = 10_000)]
    each: u64,
    /// With three brokers of Kafka between the log and the projectors
    #[arg(long)]
    kafka: bool,
    /// The file with a line for each run
    #[arg(long, default_value = "faults.ndjson")]
    ledger: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let ledger = Ledger::at(&arguments.ledger);
    loop {
        let runs = match ledger.runs() {
            Ok(runs) => runs,
            Err(error) => return fail(&format!("{}: {error}", arguments.ledger.display())),
        };
        let sum = Ledger::sum(&runs);
        say(&sum, runs.len());
        if sum.killed >= arguments.kills && sum.accepted >= arguments.commands {
            return if sum.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(3) };
        }
        let last = runs.last().map(|run| run.seed);
        let seed = last.map(|seed| seed + 1).or(arguments.seed).unwrap_or(1);
        println!("run with seed {seed}: {} commands", arguments.each);
        let plan = Plan { with_kafka: arguments.kafka, ..Plan::new(seed, arguments.each) };
        let Some(told) = run(&plan).await else {
            return fail("there can be no Kafka here: it needs Java 17, and Maven to fetch it");
        };
        for broken in &told.broken {
            eprintln!("BROKEN (seed {seed}): {broken}");
        }
        if let Err(error) = ledger.add(&told) {
            return fail(&format!("{}: {error}", arguments.ledger.display()));
        }
        if !told.broken.is_empty() {
            return ExitCode::from(3);
        }
    }
}

fn fail(reason: &str) -> ExitCode {
    eprintln!("{reason}");
    ExitCode::FAILURE
}

fn say(sum: &Told, runs: usize) {
    println!(
        "{runs} runs, {} s: {} commands accepted, {} refused, {} sent again without an answer, {} with one; \
         {} kills, {} stops, {} crashes of PostgreSQL, {} cuts; {} brokers killed, {} frozen, the topic deleted \
         {} times and forgotten {} times, {} storms; {} things broken",
        sum.seconds,
        sum.accepted,
        sum.refused,
        sum.retried,
        sum.repeated,
        sum.killed,
        sum.stopped,
        sum.crashes,
        sum.cuts,
        sum.harmed.brokers_killed,
        sum.harmed.brokers_frozen,
        sum.harmed.topics_deleted,
        sum.harmed.topics_expired,
        sum.storms,
        sum.broken.len()
    );
}
