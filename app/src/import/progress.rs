//! A progress bar with rate and time left, on a terminal; nothing in a pipe.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar for `total` steps of `what`, drawn on standard error if that is a terminal.
#[must_use]
pub fn bar(total: u64, what: &str) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(total), target);
    count_in(&bar, false);
    bar.set_message(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

/// What the bar counts: bytes, or single steps.
pub fn count_in(bar: &ProgressBar, bytes: bool) {
    let style = ProgressStyle::with_template(if bytes {
        "{msg} {wide_bar} {bytes}/{total_bytes} ({bytes_per_sec}, {eta} left)"
    } else {
        "{msg} {wide_bar} {human_pos}/{human_len} ({per_sec}, {eta} left)"
    });
    if let Ok(style) = style {
        bar.set_style(style);
    }
}
