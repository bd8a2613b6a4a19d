//! Being told to stop: Ctrl-C, `SIGTERM`, and a terminal that is closed.

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Cancels `cancel` at the first signal. A second one ends the process at once: what it leaves behind,
/// such as a private server, is found by the next.
///
/// # Errors
/// When the system does not let signals be handled.
pub fn listen(cancel: CancellationToken) -> std::io::Result<JoinHandle<()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(tokio::spawn(async move {
        for first in [true, false] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            if first {
                cancel.cancel();
            }
        }
        std::process::exit(1);
    }))
}
