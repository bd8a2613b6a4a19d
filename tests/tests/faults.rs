//! A short run with faults. The long one is `daybook-faults`.

use daybook_tests::faults::{Plan, run};

/// The seed is the clock's, so that every run is another one; a failure names it.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_done_twice_under_faults() {
    holds(Plan::new(seed(), 2_500)).await;
}

/// The same with Kafka between the log and the projectors.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_done_twice_under_faults_with_kafka() {
    holds(Plan { with_kafka: true, ..Plan::new(seed(), 2_500) }).await;
}

fn seed() -> u64 {
    let seed = std::env::var("DAYBOOK_FAULTS_SEED").ok().and_then(|seed| seed.parse().ok());
    seed.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(1, |since| since.as_secs())
    })
}

async fn holds(plan: Plan) {
    let seed = plan.seed;
    println!("DAYBOOK_FAULTS_SEED={seed}");
    let Some(told) = run(&plan).await else { return };
    println!("{told:?}");
    assert!(told.broken.is_empty(), "DAYBOOK_FAULTS_SEED={seed}: {:#?}", told.broken);
    assert!(told.killed > 0 && told.accepted > 0, "{told:?}");
    // What was sent again without need, and what had to be: one in ten at the least.
    assert!((told.repeated + told.retried) * 10 > told.accepted, "{told:?}");
    let harmed = told.harmed;
    let brokers = harmed.brokers_killed + harmed.brokers_frozen;
    assert!(!plan.with_kafka || brokers > 0, "nothing was done to the brokers: {told:?}");
}
