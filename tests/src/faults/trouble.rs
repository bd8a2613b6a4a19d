//! What is done to the processes while the clients work.

use std::time::Duration;

use fastrand::Rng;

use super::Plan;
use super::bus::Harm;
use super::house::House;
use super::load::Load;

/// How often each fault was made.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) killed: u64,
    pub(super) stopped: u64,
    pub(super) crashes: u64,
    pub(super) cuts: u64,
    pub(super) storms: u64,
}

/// Disturbs until every command was sent. Some processes may be left stopped or killed.
pub(super) async fn disturb(house: &House, plan: &Plan, load: &Load) -> Faults {
    let mut random = Rng::with_seed(plan.seed);
    let mut faults = Faults::default();
    let mut is_first = true;
    let mut resumes: Vec<(tokio::time::Instant, usize)> = Vec::new();
    while load.goes_on() {
        let calm = Duration::from_millis(random.u64(plan.calm / 4..=plan.calm));
        tokio::time::sleep(calm).await;
        let now = tokio::time::Instant::now();
        for (_, which) in resumes.extract_if(.., |(at, _)| *at <= now) {
            house.go_on(which).await;
        }
        let which = random.usize(..house.processes().await);
        // However short a run is: first a broker, and a process.
        let first = std::mem::replace(&mut is_first, false);
        if let Some(bus) = &house.bus {
            if first {
                bus.harm([Harm::Kill, Harm::KillTwo, Harm::Freeze][random.usize(..3)], &mut random);
            } else if random.u8(0..3) == 0 {
                match random.u8(0..13) {
                    0..3 => bus.harm(Harm::Kill, &mut random),
                    3..5 => bus.harm(Harm::KillTwo, &mut random),
                    5..7 => bus.harm(Harm::Freeze, &mut random),
                    7 => bus.harm(Harm::Delete, &mut random),
                    8..10 => bus.harm(Harm::Expire, &mut random),
                    10 => bus.harm(Harm::KillController, &mut random),
                    _ => {
                        faults.storms += 1;
                        let for_a_while = Duration::from_millis(random.u64(1_500..4_000));
                        house.storm(faults.storms, for_a_while).await;
                    }
                }
                continue;
            }
        }
        match if first { 0 } else { random.u8(0..20) } {
            0..9 => {
                house.kill(which).await;
                faults.killed += 1;
            }
            9..14 => {
                // Longer than a lease, sometimes: somebody else takes over, and it comes back.
                let asleep = Duration::from_millis(random.u64(200..9_000));
                if house.stop(which).await {
                    resumes.push((now + asleep, which));
                    faults.stopped += 1;
                }
            }
            14..16 => {
                house.crash_postgres().await;
                faults.crashes += 1;
            }
            _ => {
                house.proxy.cut();
                faults.cuts += 1;
            }
        }
        house.supervise().await;
    }
    faults
}
