//! Rows of the trail as a Parquet file.

use std::path::Path;

use super::AuditRow;
use crate::columns::{Kind, Name, Sheet, SheetError};

/// A Parquet file of the trail, under way.
#[derive(Debug)]
pub struct RowSheet(Sheet);

impl RowSheet {
    /// Begins one.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(path: &Path) -> Result<Self, SheetError> {
        let names = [
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
        ];
        Sheet::create(path, &names, &[]).map(Self)
    }

    /// Takes a row.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn take(&mut self, row: &AuditRow) -> Result<(), SheetError> {
        let address = row.ip_address.map(|address| address.to_string());
        let old = row.old_values.as_ref().map(|values| values.get());
        let new = row.new_values.as_ref().map(|values| values.get());
        let columns = self.0.columns();
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
