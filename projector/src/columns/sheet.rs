//! One Parquet file, written row group by row group.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Compression, Encoding, Repetition};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, Type};

use super::{Column, Kind, Name};

/// Rows of a row group, at most.
const GROUP: usize = 128 * 1024;
/// Bytes in memory after which a row group is written.
const GATHERED: usize = 64 << 20;

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub struct SheetError {
    path: String,
    source: ParquetError,
}

/// A Parquet file under way. It has another name until it is whole.
pub struct Sheet {
    writer: SerializedFileWriter<BufWriter<File>>,
    columns: Vec<Column>,
    path: PathBuf,
    part: PathBuf,
}

impl std::fmt::Debug for Sheet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sheet").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Sheet {
    /// Begins a file with these columns; `about` are facts for whoever looks into it. What is there is
    /// replaced once the file is whole.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(
        path: &Path,
        names: &[Name],
        about: &[(&str, String)],
    ) -> Result<Self, SheetError> {
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let begin = || {
            let fields = names.iter().map(Name::parquet).collect::<Result<_, _>>()?;
            let schema = Type::group_type_builder("daybook")
                .with_repetition(Repetition::REQUIRED)
                .with_fields(fields)
                .build()?;
            let file = BufWriter::with_capacity(1 << 20, File::create(&part)?);
            SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties(names, about)))
        };
        let writer = begin().map_err(error(path))?;
        let columns = names.iter().map(Column::new).collect();
        Ok(Self { writer, columns, path: path.to_owned(), part })
    }

    /// Its columns. Each is given one value a row.
    pub fn columns(&mut self) -> &mut [Column] {
        &mut self.columns
    }

    /// Bytes in memory, about.
    #[must_use]
    pub fn size(&self) -> usize {
        self.columns.iter().map(Column::size).sum()
    }

    /// Says that a row is whole.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn row(&mut self) -> Result<(), SheetError> {
        let rows = self.columns.first().map_or(0, Column::rows);
        // Sizes are summed up now and then: a sum of all columns for each row would cost more than they.
        if rows >= GROUP || (rows.is_multiple_of(1024) && self.size() >= GATHERED) {
            self.group()?;
        }
        Ok(())
    }

    /// Writes what is gathered as a row group.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn group(&mut self) -> Result<(), SheetError> {
        if self.columns.first().is_none_or(|column| column.rows() == 0) {
            return Ok(());
        }
        let write = || {
            let mut group = self.writer.next_row_group()?;
            for column in &mut self.columns {
                let Some(mut writer) = group.next_column()? else { break };
                column.write(&mut writer)?;
                writer.close()?;
            }
            group.close().map(drop)
        };
        let written: Result<(), ParquetError> = { write }();
        written.map_err(error(&self.path))
    }

    /// Ends the file: it is whole, lasts, and has its name. Gives its bytes.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn end(mut self) -> Result<u64, SheetError> {
        self.group()?;
        let Self { writer, path, part, .. } = self;
        let end = || {
            let file = writer.into_inner()?.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.sync_data()?;
            let bytes = file.metadata()?.len();
            std::fs::rename(&part, &path)?;
            Ok(bytes)
        };
        end().map_err(error(&path))
    }
}

fn error(path: &Path) -> impl FnOnce(ParquetError) -> SheetError {
    let path = path.display().to_string();
    move |source| SheetError { path, source }
}

fn properties(names: &[Name], about: &[(&str, String)]) -> WriterProperties {
    let about = about.iter().map(|(key, value)| KeyValue::new((*key).to_owned(), value.clone()));
    let mut properties = WriterProperties::builder()
        .set_created_by("daybook".to_owned())
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(None)
        .set_key_value_metadata(Some(about.collect()));
    for name in names {
        let path = ColumnPath::from(name.name.as_str());
        // What hardly repeats is not looked up in a dictionary first.
        if name.required && matches!(name.kind, Kind::Long | Kind::Time) {
            properties = properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        } else if name.kind == Kind::Json {
            properties = properties.set_column_dictionary_enabled(path, false);
        }
    }
    properties.build()
}
