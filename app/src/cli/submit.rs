//! `daybook submit`.

use std::path::PathBuf;

use clap::Args;
use daybook_command::batch::parse_line;
use daybook_domain::context::Actor;
use futures::StreamExt as _;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio_stream::wrappers::LinesStream;

use super::output::{Output, line};
use super::{Exit, Failure, Outcome, Session};
use crate::import::{Report, progress, submit};
use crate::workbench::Workbench;

/// Submit commands in bulk from a file of JSON lines
#[derive(Debug, Args)]
#[command(
    after_help = "A line is {\"id\": UUID, \"type\": \"banking.account.deposit\", \"stream_id\": UUID, \"data\": {…}}; `expected_version` and `occurred_at` may stand beside. The ids make it safe to run the same file again: what was applied is not applied twice. The commands are the system's own, not a user's.\n\nExample: daybook submit commands.ndjson"
)]
pub(super) struct Submit {
    /// The file; - is standard input
    file: PathBuf,
    /// How the report is printed
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

impl Submit {
    pub(super) async fn run(self, session: Session) -> Outcome {
        let name = self.file.display().to_string();
        let (reader, bytes): (Box<dyn tokio::io::AsyncRead + Send + Unpin>, u64) =
            if self.file.as_os_str() == "-" {
                (Box::new(tokio::io::stdin()), 0)
            } else {
                let file = tokio::fs::File::open(&self.file)
                    .await
                    .map_err(|error| Failure::failed(format!("{name}: {error}")))?;
                let bytes = file.metadata().await.map_or(0, |metadata| metadata.len());
                (Box::new(file), bytes)
            };
        let bench =
            Workbench::open(&session.settings).await.map_err(|e| Failure::failed(e.to_string()))?;
        let lines = LinesStream::new(BufReader::new(reader).lines());
        let commands = lines.enumerate().filter_map(|(index, text)| async move {
            let number = index as u64 + 1;
            match text {
                Ok(text) if text.trim().is_empty() => None,
                Ok(text) => Some((number, parse_line(&text))),
                Err(error) => Some((
                    number,
                    Err(daybook_command::CommandError::Invalid {
                        pointer: String::new(),
                        detail: format!("the line cannot be read: {error}"),
                    }),
                )),
            }
        });
        // The number of lines is not known before they are read; a line is some 200 bytes.
        let bar = progress::bar((bytes / 200).max(1), "submitting");
        let mut report = Report::default();
        let engine = bench.engine.clone();
        submit::submit(engine, Actor::system(), "line", commands, &bar, &mut report).await;
        bar.finish_and_clear();
        let posted = bench.posted(report.position).await;
        bench.close().await.map_err(|e| Failure::failed(e.to_string()))?;
        match self.output {
            Output::Table => line(report.to_string().trim_end()),
            Output::Json => line(serde_json::to_string_pretty(&report)?),
        }
        posted.map_err(|error| {
            Failure::failed(format!("all is in the log, but not posted yet: {error}"))
        })?;
        if report.wrong.is_empty() {
            return Ok(Exit::Done);
        }
        Err(Failure::failed(format!(
            "{} of {name}'s lines were refused; mend them and run the same command again",
            report.wrong.len()
        )))
    }
}
