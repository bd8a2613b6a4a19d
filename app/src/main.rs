//! The daybook binary: roles and tools as subcommands.

fn main() -> std::process::ExitCode {
    daybook_app::cli::main()
}
