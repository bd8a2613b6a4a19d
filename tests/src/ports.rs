//! Ports for the servers that tests start.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// Where they begin, and how many there are: below those that the system gives to whoever asks for any
/// (`ip_local_port_range`, from 32768 on), so that nobody's connection takes one before its server does.
const FIRST: u32 = 20_000;
const COUNT: u32 = 12_000;

/// A port of 127.0.0.1 that nobody listens on and that this process has not given out before: a server
/// that is killed finds its own again.
///
/// # Panics
/// When every one is taken.
#[must_use]
pub fn free_port() -> u16 {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    // Processes that test at the same time begin far from each other, neighbours too: by a prime.
    let begin = (std::process::id() % COUNT) * 7_919;
    for _ in 0..COUNT {
        let place = (begin + GIVEN.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = u16::try_from(FIRST + place).expect("a port");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port from {FIRST} to {}", FIRST + COUNT - 1);
}
