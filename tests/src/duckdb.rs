//! DuckDB, which reads Parquet as others do.

use std::process::Command;

/// The Python that has DuckDB: `DAYBOOK_PYTHON`, else `python3`. Where it has none, `None`, and loudly so.
///
/// # Panics
/// In CI, where there is none.
#[must_use]
pub fn python_with_duckdb() -> Option<String> {
    let python = std::env::var("DAYBOOK_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let there = Command::new(&python).args(["-c", "import duckdb"]).output();
    if there.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    let says = format!(
        "{python} has no duckdb: `python3 -m venv venv && venv/bin/pip install duckdb`, and DAYBOOK_PYTHON=venv/bin/python"
    );
    assert!(std::env::var_os("CI").is_none(), "{says}");
    eprintln!("*** SKIPPED, NOTHING SHOWN: {says} ***");
    None
}
