//! What the figures hang on: the machine, the server, the day.

use std::time::Instant;

use crate::plan::Plan;
use crate::server::Server;
use crate::workload::now;

/// A line of them.
pub(crate) fn of(server: &Server, plan: &Plan, begun: Instant) -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" ");
    format!(
        "{}, {cores} cores ({}), {} GiB of memory, Linux {kernel}, {}, fsync and synchronous_commit on; medians of {} rounds; load at the end {load}; {} s in all\n",
        now().format("%Y-%m-%d"),
        processor(),
        memory(),
        server.version,
        plan.rounds,
        begun.elapsed().as_secs(),
    )
}

fn processor() -> String {
    read("/proc/cpuinfo")
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}

/// The machine's memory in GiB, rounded up.
pub(crate) fn memory() -> u64 {
    let kibibytes = read("/proc/meminfo")
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse().ok())
        .unwrap_or(0_u64);
    kibibytes.div_ceil(1 << 20)
}

/// Nothing where there is no such file, as on other systems.
fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}
