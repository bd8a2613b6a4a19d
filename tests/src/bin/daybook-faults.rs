//! Runs with faults, one after the other, each added to a file once it has ended and was checked: stop
//! it and start it again as you like, the file adds up. What was under way when it was stopped counts
//! for nothing, and is done again with the same seed. Runs with Kafka and runs without add up apart.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use daybook_tests::faults::{Ledger, Plan, Told, run};

/// Disturb real processes under load, and check that nothing is lost or done twice
#[derive(Debug, Parser)]
#[command(after_help = "\
Each run has servers and a database of its own: PostgreSQL behind a proxy, two processes that take commands, two \
projectors, 24 clients that open accounts and move money and send one answered command in eight again; with --kafka \
three brokers, their controller and two relays besides. About every second it does one of these, drawn from the seed: \
kill -9 of a process, SIGSTOP and up to nine seconds later SIGCONT, a crash of PostgreSQL, a cut of all its \
connections as answers come; with --kafka, once in three times instead: kill -9 of a broker, of two (they come back \
after a produce was refused because too few copies are in sync), or of the controller, a broker frozen, the topic of \
events deleted or emptied, three projectors that join the group and are killed. When all commands are answered, what \
is down comes back, and it is checked: what was acknowledged is in the log once, the log is dense, everything is \
posted, balances are what the clients counted, `rebuild --check`, `reconcile` and `doctor --deep` find nothing.

Exit code 3: something did not hold; the seed and the folder with what the processes printed are named.

Example: cargo run --release -p daybook-tests --bin daybook-faults -- --kills 200 --commands 300000")]
struct Arguments {
    /// The seed of the first run; the next ones count on
    #[arg(long)]
    seed: Option<u64>,
    /// Goes on until so many processes were killed in all runs of the file of this kind
    #[arg(long, default_value_t = 20)]
    kills: u64,
    /// And until so many commands were accepted in all of them
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
        let mut runs = match ledger.runs() {
            Ok(runs) => runs,
            Err(error) => return fail(&format!("{}: {error}", arguments.ledger.display())),
        };
        runs.retain(|run| run.with_kafka == arguments.kafka);
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
         {} kills, {} stops, {} crashes of PostgreSQL, {} cuts; {} brokers killed, {} times too few copies in \
         sync, {} controllers killed, {} brokers frozen, the topic deleted {} times and forgotten {} times, {} \
         storms; {} things broken",
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
        sum.harmed.too_few_copies,
        sum.harmed.controllers_killed,
        sum.harmed.brokers_frozen,
        sum.harmed.topics_deleted,
        sum.harmed.topics_expired,
        sum.storms,
        sum.broken.len()
    );
}
