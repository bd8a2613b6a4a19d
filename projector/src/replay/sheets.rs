//! Parquet: one file of everything, or typed files, one for each type of event.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::Datelike as _;
use daybook_domain::catalog;
use daybook_domain::message::DecodeError;
use daybook_store::Recorded;

use super::sink::Sink;
use super::typed::{Fields, decode};
use super::{ReplayError, line};
use crate::columns::{Column, Kind, Name, Sheet, SheetError};
use daybook_store::redact;

/// Bytes that all files under way keep in memory, at most.
const IN_MEMORY: usize = 256 << 20;

/// Which file an event goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// The one there is; the data is JSON.
    One,
    /// That of its type; the data has columns.
    ByType,
    /// That of its type and the month in which it was recorded.
    ByMonth,
}

/// Files under way.
#[derive(Debug)]
pub(super) struct Sheets {
    layout: Layout,
    path: PathBuf,
    open: BTreeMap<String, Open>,
    month: Option<(i32, u32)>,
    /// Of files that are whole.
    bytes: u64,
    taken: usize,
}

#[derive(Debug)]
struct Open {
    sheet: Sheet,
    fields: Option<Fields>,
}

impl From<SheetError> for ReplayError {
    fn from(error: SheetError) -> Self {
        Self::Columns(error)
    }
}

impl Sheets {
    /// A file, or a folder, of which files with so many bytes are whole. Only whole months are kept:
    /// everything else is begun again.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub(super) fn begin(layout: Layout, path: &Path, kept: u64) -> Result<Self, ReplayError> {
        if layout != Layout::One {
            fs::create_dir_all(path).map_err(ReplayError::file(path))?;
        }
        Ok(Self {
            layout,
            path: path.to_owned(),
            open: BTreeMap::new(),
            month: None,
            bytes: kept,
            taken: 0,
        })
    }

    fn place(&self, event: &Recorded) -> PathBuf {
        let Recorded { event_type, recorded_at, .. } = event;
        match self.layout {
            Layout::One => self.path.clone(),
            Layout::ByType => self.path.join(format!("{event_type}.parquet")),
            Layout::ByMonth => {
                let month = recorded_at.format("%Y-%m.parquet").to_string();
                self.path.join(event_type).join(month)
            }
        }
    }

    fn create(&self, event: &Recorded) -> Result<Open, ReplayError> {
        let path = self.place(event);
        if let Some(folder) = path.parent().filter(|_| self.layout == Layout::ByMonth) {
            fs::create_dir_all(folder).map_err(ReplayError::file(folder))?;
        }
        let mut names = metadata(self.layout == Layout::One);
        if self.layout == Layout::One {
            names.push(Name::required("data", Kind::Json));
            return Ok(Open { sheet: Sheet::create(&path, &names, &[])?, fields: None });
        }
        // A file's name must be one: an event that nobody knows could be called anything.
        let of = catalog::event(&event.event_type).ok_or_else(|| {
            let name = event.event_type.clone();
            decode(event, DecodeError::UnknownName { of: "event", name })
        })?;
        let fields = Fields::of(of, &mut names);
        let about =
            [("event_type", of.name.to_owned()), ("schema_version", of.version.to_string())];
        Ok(Open { sheet: Sheet::create(&path, &names, &about)?, fields: Some(fields) })
    }

    /// Frees memory: the largest file writes what it has gathered.
    fn spill(&mut self) -> Result<(), ReplayError> {
        let mut sizes: Vec<(usize, String)> =
            self.open.iter().map(|(name, open)| (open.sheet.size(), name.clone())).collect();
        sizes.sort();
        let mut all: usize = sizes.iter().map(|(size, _)| size).sum();
        while all > IN_MEMORY
            && let Some((size, name)) = sizes.pop()
        {
            if let Some(open) = self.open.get_mut(&name) {
                open.sheet.group()?;
            }
            all -= size;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), ReplayError> {
        for (_, open) in std::mem::take(&mut self.open) {
            self.bytes += open.sheet.end()?;
        }
        Ok(())
    }
}

fn month(event: &Recorded) -> (i32, u32) {
    (event.recorded_at.year(), event.recorded_at.month())
}

impl Sink for Sheets {
    fn take(&mut self, event: &Recorded, _: &[u8]) -> Result<(), ReplayError> {
        self.month = Some(month(event));
        let name = if self.layout == Layout::One { "" } else { event.event_type.as_str() };
        if !self.open.contains_key(name) {
            let open = self.create(event)?;
            self.open.insert(name.to_owned(), open);
        }
        if let Some(Open { sheet, fields }) = self.open.get_mut(name) {
            let columns = sheet.columns();
            let next = about(event, fields.is_none(), columns);
            match (fields, columns.get_mut(next)) {
                (Some(fields), _) => fields.take(event, columns)?,
                (None, Some(data)) => {
                    let json = |source| ReplayError::Json { position: event.position, source };
                    let redacted = redact::redacted(&event.data).map_err(json)?;
                    data.text(redacted.as_deref().unwrap_or(&event.data).get());
                }
                (None, None) => {}
            }
            sheet.row()?;
        }
        self.taken += 1;
        if self.taken.is_multiple_of(16_384) { self.spill() } else { Ok(()) }
    }

    fn rests(&self, next: Option<&Recorded>) -> bool {
        self.layout == Layout::ByMonth
            && next.is_some_and(|next| self.month.is_some_and(|known| known != month(next)))
    }

    fn settle(&mut self) -> Result<Option<u64>, ReplayError> {
        self.finish()?;
        Ok(Some(self.bytes))
    }

    fn show(&mut self) -> Result<(), ReplayError> {
        Ok(())
    }

    fn end(&mut self) -> Result<Option<u64>, ReplayError> {
        self.finish()?;
        Ok(Some(self.bytes))
    }
}

/// The columns that every event has.
fn metadata(with_type: bool) -> Vec<Name> {
    let mut names = vec![
        Name::required("position", Kind::Long),
        Name::required("recorded_at", Kind::Time),
        Name::optional("occurred_at", Kind::Time),
        Name::required("lane", Kind::Long),
        Name::required("lane_seq", Kind::Long),
        Name::required("stream_id", Kind::Id),
        Name::required("version", Kind::Long),
    ];
    if with_type {
        names.push(Name::required("event_type", Kind::Text));
    }
    names.extend([
        Name::required("schema_version", Kind::Long),
        Name::required("command_id", Kind::Id),
        Name::required("actor_id", Kind::Id),
        Name::optional("tenant_id", Kind::Id),
        Name::required("correlation_id", Kind::Id),
        Name::optional("causation_id", Kind::Id),
        Name::optional("session_id", Kind::Id),
        Name::optional("ip_address", Kind::Text),
        Name::optional("user_agent", Kind::Text),
        Name::optional("traceparent", Kind::Text),
        Name::optional("after", Kind::Json),
    ]);
    names
}

/// Puts what every event has into its columns, in the order of [`metadata`]; gives how many those are.
fn about(event: &Recorded, with_type: bool, columns: &mut [Column]) -> usize {
    let metadata = &event.metadata;
    let all = columns.len();
    let mut left = columns.iter_mut();
    {
        let mut next = |put: &mut dyn FnMut(&mut Column)| {
            if let Some(column) = left.next() {
                put(column);
            }
        };
        next(&mut |column| column.long(event.position));
        next(&mut |column| column.time(event.recorded_at));
        next(&mut |column| match event.occurred_at {
            Some(time) => column.time(time),
            None => column.null(),
        });
        next(&mut |column| column.long(event.lane.into()));
        next(&mut |column| column.long(event.lane_seq));
        next(&mut |column| column.id(event.stream_id));
        next(&mut |column| column.long(event.version));
        if with_type {
            next(&mut |column| column.text(&event.event_type));
        }
        next(&mut |column| column.long(event.schema_version.into()));
        for id in [
            Some(event.command_id),
            Some(metadata.actor_id),
            metadata.tenant_id,
            Some(metadata.correlation_id),
            metadata.causation_id,
            metadata.session_id,
        ] {
            next(&mut |column| match id {
                Some(id) => column.id(id),
                None => column.null(),
            });
        }
        let address = metadata.ip_address.map(|address| address.to_string());
        let mut after = Vec::new();
        if !event.after.is_empty() {
            line::after(event, &mut after);
        }
        let after = std::str::from_utf8(&after).ok().filter(|after| !after.is_empty());
        for text in [
            address.as_deref(),
            metadata.user_agent.as_deref(),
            metadata.traceparent.as_deref(),
            after,
        ] {
            next(&mut |column| match text {
                Some(text) => column.text(text),
                None => column.null(),
            });
        }
    }
    all - left.len()
}
