//! `daybook completions`.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Cli, Exit};

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(
    after_help = "Example: daybook completions bash > ~/.local/share/bash-completion/completions/daybook"
)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> Exit {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "daybook", &mut script);
        super::output::line(String::from_utf8_lossy(&script).trim_end());
        Exit::Done
    }
}
