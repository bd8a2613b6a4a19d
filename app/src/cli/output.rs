//! What commands print: tables for people, JSON for programs.

use std::io::Write as _;

use comfy_table::{Table, presets};
use serde::Serialize;

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Table,
    /// One JSON document.
    Json,
}

/// Prints a line. A reader who has gone away, such as `head`, is no failure.
pub fn line(text: impl AsRef<str>) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{}", text.as_ref()).and_then(|()| stdout.flush());
}

/// Prints rows: as a table with these columns, or as a JSON array of the rows themselves.
///
/// # Errors
/// When a row cannot be put into JSON.
pub fn rows<T: Serialize, const N: usize>(
    output: Output,
    columns: [&str; N],
    rows: &[T],
    cells: impl Fn(&T) -> [String; N],
) -> Result<(), serde_json::Error> {
    match output {
        Output::Json => line(serde_json::to_string_pretty(rows)?),
        Output::Table => {
            let mut table = Table::new();
            table.load_style(presets::NOTHING).set_header(columns);
            for row in rows {
                table.add_row(cells(row));
            }
            for text in table.to_string().lines() {
                line(text.trim_end());
            }
        }
    }
    Ok(())
}
