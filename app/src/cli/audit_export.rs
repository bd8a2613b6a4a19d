//! The trail as a whole: written to a file, or compared with the log.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use daybook_projector::audit::{
    self, AuditFilter, AuditRow, Form, HEADER, Place, Population, RowSheet,
};
use daybook_projector::rebuild::{self, Memory, Progress};
use sha2::{Digest as _, Sha256};

use super::audit::form_of;
use super::history::History;
use super::output::{self, Output, line};
use super::stands_still::StandsStill;
use super::{Failure, Outcome};
use crate::import::progress;

/// Rows that are read at a time.
const AT_ONCE: i64 = 5_000;

/// What an export wrote.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) rows: i64,
    /// SHA-256 over the rows as lines of NDJSON, whatever the form.
    pub(super) digest: String,
}

/// A file that the trail is written to.
pub(super) struct Export {
    to: To,
    path: String,
}

enum To {
    Lines(BufWriter<File>, Form),
    Sheet(Box<RowSheet>),
}

impl Export {
    /// A new file.
    pub(super) fn to(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let form = form_of(path.extension().and_then(|end| end.to_str())).ok_or_else(|| {
            Failure::wrong_use(format!("{name} does not end in .ndjson, .csv or .parquet"))
        })?;
        if path.exists() {
            return Err(Failure::wrong_use(format!("{name} is there already; name another")));
        }
        let to = match form {
            None => To::Sheet(Box::new(RowSheet::create(path)?)),
            Some(form) => {
                let mut file = BufWriter::with_capacity(1 << 20, open(path)?);
                if form == Form::Csv {
                    file.write_all(HEADER.as_bytes())?;
                }
                To::Lines(file, form)
            }
        };
        Ok(Self { to, path: name })
    }

    /// Writes every row, oldest first.
    pub(super) async fn run(mut self, population: &Population) -> Result<Written, Failure> {
        let mut digest = Sha256::new();
        let (mut after, mut count, mut row_line) = (None, 0_i64, Vec::new());
        loop {
            let rows = population.page(after, false, AT_ONCE).await?;
            let Some(last) = rows.last() else { break };
            after = Some(Place::after(last));
            for row in &rows {
                row_line.clear();
                audit::write(row, Form::Ndjson, &mut row_line)?;
                digest.update(&row_line);
                self.take(row, &mut row_line)?;
                count += 1;
            }
        }
        match self.to {
            To::Lines(file, _) => {
                let file = file.into_inner().map_err(|error| {
                    Failure::failed(format!("{}: {}", self.path, error.error()))
                })?;
                file.sync_data()?;
            }
            To::Sheet(sheet) => {
                sheet.end()?;
            }
        }
        let digest = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Written { rows: count, digest })
    }

    fn take(&mut self, row: &AuditRow, row_line: &mut Vec<u8>) -> Result<(), Failure> {
        match &mut self.to {
            To::Lines(file, Form::Ndjson) => file.write_all(row_line)?,
            To::Lines(file, Form::Csv) => {
                row_line.clear();
                audit::write(row, Form::Csv, row_line)?;
                file.write_all(row_line)?;
            }
            To::Sheet(sheet) => sheet.take(row)?,
        }
        Ok(())
    }
}

fn open(path: &Path) -> Result<File, Failure> {
    File::create_new(path).map_err(|error| Failure::failed(format!("{}: {error}", path.display())))
}

/// Folds the log and compares what it says with the trail, among the rows that the filter wants.
pub(super) async fn reconcile(history: &History, filter: &AuditFilter, output: Output) -> Outcome {
    let bar = progress::bar(0, "folding");
    let tell = |Progress { done, total, .. }| {
        bar.set_length(total.unsigned_abs());
        bar.set_position(done.unsigned_abs());
    };
    let reading = history.begin_read("reconcile", serde_json::json!(filter)).await?;
    let pool = &history.pools.projector;
    let found = rebuild::reconcile(pool, &history.log, Memory::default(), filter, &tell).await?;
    bar.finish_and_clear();
    history.end_read(reading, 0, None).await?;
    let stands_still = StandsStill::now(pool, |_| true).await?;
    if output == Output::Json {
        line(stands_still.beside(&found)?);
    } else {
        stands_still.tell();
        let columns = ["ACTION", "TABLE", "IN THE TRAIL", "BY THE LOG", "DIFFERENT"];
        output::rows(Output::Table, columns, &found.counted, |counted| {
            [
                counted.action.clone(),
                counted.table.clone().unwrap_or_default(),
                counted.trail.to_string(),
                counted.log.to_string(),
                counted.different.to_string(),
            ]
        })?;
        for difference in &found.examples {
            line(format!("{} {}", difference.id, difference.what));
            let of = |side: &Option<serde_json::Value>| {
                side.as_ref().map_or_else(|| "not there".to_owned(), ToString::to_string)
            };
            line(format!("  trail: {}", of(&difference.trail)));
            line(format!("  log:   {}", of(&difference.log)));
        }
        line(if found.is_same() {
            format!(
                "Equal{}: {} rows of the trail, from {} events up to position {}.",
                stands_still.but_for(),
                found.trail(),
                found.events,
                found.position
            )
        } else {
            "The trail is not what the log says; `daybook rebuild` makes it again.".to_owned()
        });
    }
    Ok(stands_still.exit(found.is_same()))
}
