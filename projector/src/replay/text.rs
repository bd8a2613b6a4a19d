//! Lines of text: NDJSON, which is the canonical lines themselves, and CSV.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use daybook_store::Recorded;
use uuid::Uuid;

use super::sink::Sink;
use super::{ReplayError, line};
use crate::digest::Digest;
use daybook_store::redact;

/// Bytes that are gathered before they are written.
const GATHERED: usize = 1 << 20;
/// Bytes after which what is written is made to last.
const LASTS: u64 = 64 << 20;

/// The columns of a line of CSV, as of an event.
const NAMES: &str = "position,recorded_at,occurred_at,lane,lane_seq,stream_id,version,event_type,\
schema_version,data,command_id,actor_id,tenant_id,correlation_id,causation_id,session_id,ip_address,\
user_agent,traceparent,after\n";

/// What a line looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    Ndjson,
    Csv,
}

/// A file, or standard output, of lines.
#[derive(Debug)]
pub(super) struct Text {
    lines: Lines,
    out: Out,
    gathered: Vec<u8>,
    /// Bytes written, with those gathered.
    bytes: u64,
    /// Those that last.
    settled: u64,
}

#[derive(Debug)]
enum Out {
    Stdout,
    File(File, PathBuf),
}

impl Text {
    /// Standard output.
    pub(super) fn stdout(lines: Lines) -> Self {
        Self::new(lines, Out::Stdout)
    }

    /// A file, of which so many bytes count: 0 of a new one. Of lines of NDJSON those must be what was
    /// written, which has this digest.
    ///
    /// # Errors
    /// When it cannot be opened, or is shorter than it was, or another.
    pub(super) fn file(
        lines: Lines,
        path: &Path,
        (kept, digest): (u64, &Digest),
    ) -> Result<Self, ReplayError> {
        let open = || {
            let mut options = OpenOptions::new();
            // One that is gone is as one that is empty.
            let file = options.write(true).create(true).truncate(false).open(path)?;
            let there = file.metadata()?.len();
            Ok((file, there))
        };
        let (mut file, there) = open().map_err(ReplayError::file(path))?;
        if there < kept {
            return Err(ReplayError::InTheWay(format!(
                "{} has {there} bytes, and had {kept} when its replay was interrupted; --anew begins again",
                path.display()
            )));
        }
        if kept > 0 && lines == Lines::Ndjson {
            let there = Digest::of_first(kept, path).map_err(ReplayError::file(path))?;
            if there.hex() != digest.hex() {
                return Err(ReplayError::InTheWay(format!(
                    "{} was changed since its replay was interrupted; --anew begins again",
                    path.display()
                )));
            }
        }
        // What was written after that was not yet said to last.
        let cut = file.set_len(kept).and_then(|()| file.seek(SeekFrom::End(0)));
        cut.map_err(ReplayError::file(path))?;
        let mut text = Self::new(lines, Out::File(file, path.to_owned()));
        if kept > 0 {
            text.gathered.clear();
            (text.bytes, text.settled) = (kept, kept);
        }
        Ok(text)
    }

    fn new(lines: Lines, out: Out) -> Self {
        let mut gathered = Vec::with_capacity(GATHERED + (64 << 10));
        if lines == Lines::Csv {
            gathered.extend_from_slice(NAMES.as_bytes());
        }
        let bytes = gathered.len() as u64;
        Self { lines, out, gathered, bytes, settled: 0 }
    }

    fn write(&mut self) -> Result<(), ReplayError> {
        let written = match &mut self.out {
            Out::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(&self.gathered).and_then(|()| stdout.flush())
            }
            Out::File(file, _) => file.write_all(&self.gathered),
        };
        written.map_err(ReplayError::file(self.name()))?;
        self.gathered.clear();
        Ok(())
    }

    fn name(&self) -> &Path {
        match &self.out {
            Out::Stdout => Path::new("standard output"),
            Out::File(_, path) => path,
        }
    }
}

impl Sink for Text {
    fn take(&mut self, event: &Recorded, canonical: &[u8]) -> Result<(), ReplayError> {
        let before = self.gathered.len();
        match self.lines {
            Lines::Ndjson => self.gathered.extend_from_slice(canonical),
            Lines::Csv => csv(event, &mut self.gathered)?,
        }
        self.bytes += (self.gathered.len() - before) as u64;
        if self.gathered.len() >= GATHERED { self.write() } else { Ok(()) }
    }

    fn rests(&self, next: Option<&Recorded>) -> bool {
        next.is_none() || self.bytes - self.settled >= LASTS
    }

    fn settle(&mut self) -> Result<Option<u64>, ReplayError> {
        self.write()?;
        if let Out::File(file, path) = &self.out {
            file.sync_data().map_err(ReplayError::file(path))?;
        }
        self.settled = self.bytes;
        Ok(Some(self.bytes))
    }

    fn show(&mut self) -> Result<(), ReplayError> {
        self.write()
    }

    fn end(&mut self) -> Result<Option<u64>, ReplayError> {
        self.settle()
    }
}

/// One line of CSV, in the order of [`NAMES`]: what is absent is empty, what is empty is quoted.
fn csv(event: &Recorded, out: &mut Vec<u8>) -> Result<(), ReplayError> {
    let json = |source| ReplayError::Json { position: event.position, source };
    let metadata = &event.metadata;
    let id = |id: Option<Uuid>, out: &mut Vec<u8>| {
        if let Some(id) = id {
            line::bare_id(id, out);
        }
        out.push(b',');
    };
    line::number(event.position, out);
    out.push(b',');
    line::bare_time(event.recorded_at, out);
    out.push(b',');
    if let Some(occurred_at) = event.occurred_at {
        line::bare_time(occurred_at, out);
    }
    for number in [i64::from(event.lane), event.lane_seq] {
        out.push(b',');
        line::number(number, out);
    }
    out.push(b',');
    id(Some(event.stream_id), out);
    line::number(event.version, out);
    out.push(b',');
    quoted(Some(&event.event_type), out);
    line::number(event.schema_version.into(), out);
    out.push(b',');
    let redacted = redact::redacted(&event.data).map_err(json)?;
    quoted(Some(redacted.as_deref().unwrap_or(&event.data).get()), out);
    id(Some(event.command_id), out);
    id(Some(metadata.actor_id), out);
    id(metadata.tenant_id, out);
    id(Some(metadata.correlation_id), out);
    id(metadata.causation_id, out);
    id(metadata.session_id, out);
    quoted(metadata.ip_address.map(|address| address.to_string()).as_deref(), out);
    quoted(metadata.user_agent.as_deref(), out);
    quoted(metadata.traceparent.as_deref(), out);
    if !event.after.is_empty() {
        out.push(b'"');
        line::after(event, out);
        out.push(b'"');
    }
    out.push(b'\n');
    Ok(())
}

/// A field and the comma after it.
fn quoted(text: Option<&str>, out: &mut Vec<u8>) {
    csv_field(text, out);
    out.push(b',');
}

/// A field of CSV, in quotes where it must be; nothing at all where there is none.
pub(crate) fn csv_field(text: Option<&str>, out: &mut Vec<u8>) {
    let Some(text) = text else { return };
    let plain = |byte: u8| !matches!(byte, b'"' | b',' | b'\n' | b'\r');
    if !text.is_empty() && text.bytes().all(plain) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    for byte in text.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::examples::event;

    #[test]
    fn a_line_of_csv_has_a_field_for_each_name_and_no_secret() {
        let mut out = Vec::new();
        csv(&event(), &mut out).unwrap();
        let line = String::from_utf8(out).unwrap();
        let data = "\"{\"\"email\"\":\"\"a@b\"\",\"\"password_hash\"\":\"\"[redacted]\"\"}\"";
        assert!(line.contains(&format!(",identity.user.registered,1,{data},")), "{line}");
        let end = ",192.0.2.7,\"a \"\"test\"\"\nof two, lines\",,\"[[1,5],[2,6]]\"\n";
        assert!(line.ends_with(end), "{line}");
        let unquoted: String = line.split('"').step_by(2).collect();
        assert_eq!(unquoted.matches(',').count(), NAMES.matches(',').count());
    }
}
