//! Rows of the trail as Parquet: a file, or a stream of bytes.

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use parquet::errors::ParquetError;

use super::AuditRow;
use crate::columns::{Column, Groups, Kind, Name, Sheet, SheetError};

/// Rows of a row group of a stream: what it holds in memory.
const GROUP: usize = 16 * 1024;
/// Bytes after which a group is written all the same.
const GATHERED: usize = 8 << 20;

/// A Parquet file of the trail, under way.
#[derive(Debug)]
pub struct RowSheet(Sheet);

impl RowSheet {
    /// Begins one.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(path: &Path) -> Result<Self, SheetError> {
        Sheet::create(path, &names(), &[]).map(Self)
    }

    /// Takes a row.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn take(&mut self, row: &AuditRow) -> Result<(), SheetError> {
        put(row, self.0.columns());
        self.0.row()
    }

    /// Ends the file: it is whole, lasts, and has its name. Gives its bytes.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn end(self) -> Result<u64, SheetError> {
        self.0.end()
    }
}

/// The trail as Parquet in pieces, for who sends them on. Cut short, it has no footer, and no reader
/// takes it for the whole.
#[derive(Debug)]
pub struct RowStream {
    groups: Groups<Pieces>,
    written: Pieces,
}

impl RowStream {
    /// Begins one.
    ///
    /// # Errors
    /// None that could happen in memory.
    pub fn begin() -> Result<Self, ParquetError> {
        let written = Pieces::default();
        let groups = Groups::begin(written.clone(), &names(), &[])?;
        Ok(Self { groups, written })
    }

    /// Takes rows, and gives the bytes that are to be sent before the next ones; often none.
    ///
    /// # Errors
    /// None that could happen in memory.
    pub fn take(&mut self, rows: &[AuditRow]) -> Result<Vec<u8>, ParquetError> {
        for row in rows {
            put(row, self.groups.columns());
        }
        if self.groups.rows() >= GROUP || self.groups.size() >= GATHERED {
            self.groups.group()?;
        }
        Ok(self.written.take())
    }

    /// The last bytes, which make it whole.
    ///
    /// # Errors
    /// None that could happen in memory.
    pub fn end(self) -> Result<Vec<u8>, ParquetError> {
        Ok(self.groups.end()?.take())
    }
}

/// Bytes that are written here and taken there.
#[derive(Debug, Clone, Default)]
struct Pieces(Arc<Mutex<Vec<u8>>>);

impl Pieces {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn names() -> [Name; 18] {
    [
        Name::required("id", Kind::Long),
        Name::required("created_at", Kind::Time),
        Name::optional("position", Kind::Long),
        Name::optional("user_id", Kind::Id),
        Name::required("action", Kind::Text),
        Name::optional("entity_type", Kind::Text),
        Name::optional("entity_id", Kind::Id),
        Name::optional("old_values", Kind::Json),
        Name::optional("new_values", Kind::Json),
        Name::optional("ip_address", Kind::Text),
        Name::optional("event_type", Kind::Text),
        Name::optional("stream_id", Kind::Id),
        Name::optional("version", Kind::Long),
        Name::optional("correlation_id", Kind::Id),
        Name::optional("session_id", Kind::Id),
        Name::optional("user_agent", Kind::Text),
        Name::optional("tenant_id", Kind::Id),
        Name::optional("command_id", Kind::Id),
    ]
}

/// Puts a row into the columns of these names.
fn put(row: &AuditRow, columns: &mut [Column]) {
    let address = row.ip_address.map(|address| address.to_string());
    let old = row.old_values.as_ref().map(|values| values.get());
    let new = row.new_values.as_ref().map(|values| values.get());
    for (column, value) in [(0, Some(row.id)), (2, row.position), (12, row.version)] {
        match value {
            Some(value) => columns[column].long(value),
            None => columns[column].null(),
        }
    }
    columns[1].time(row.created_at);
    for (column, value) in [
        (3, row.user_id),
        (6, row.entity_id),
        (11, row.stream_id),
        (13, row.correlation_id),
        (14, row.session_id),
        (16, row.tenant_id),
        (17, row.command_id),
    ] {
        match value {
            Some(value) => columns[column].id(value),
            None => columns[column].null(),
        }
    }
    for (column, value) in [
        (4, Some(row.action.as_str())),
        (5, row.entity_type.as_deref()),
        (7, old),
        (8, new),
        (9, address.as_deref()),
        (10, row.event_type.as_deref()),
        (15, row.user_agent.as_deref()),
    ] {
        match value {
            Some(value) => columns[column].text(value),
            None => columns[column].null(),
        }
    }
}
