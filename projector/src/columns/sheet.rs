//! Parquet, written row group by row group: to a file, or to anything that takes bytes.

use std::fs::File;
use std::io::{self, BufWriter, Write};
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

/// Rows on their way to `W`, of which one row group at most is in memory.
pub struct Groups<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: Vec<Column>,
}

impl<W: Write + Send> std::fmt::Debug for Groups<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Groups").field("columns", &self.columns.len()).finish_non_exhaustive()
    }
}

impl<W: Write + Send> Groups<W> {
    /// Begins with these columns; `about` are facts for whoever looks into it.
    ///
    /// # Errors
    /// When nothing can be written.
    pub fn begin(
        writer: W,
        names: &[Name],
        about: &[(&str, String)],
    ) -> Result<Self, ParquetError> {
        let fields = names.iter().map(Name::parquet).collect::<Result<_, _>>()?;
        let schema = Type::group_type_builder("daybook")
            .with_repetition(Repetition::REQUIRED)
            .with_fields(fields)
            .build()?;
        let properties = Arc::new(properties(names, about));
        let writer = SerializedFileWriter::new(writer, Arc::new(schema), properties)?;
        Ok(Self { writer, columns: names.iter().map(Column::new).collect() })
    }

    /// Its columns. Each is given one value a row.
    pub fn columns(&mut self) -> &mut [Column] {
        &mut self.columns
    }

    /// Rows in memory.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, Column::rows)
    }

    /// Bytes in memory, about.
    #[must_use]
    pub fn size(&self) -> usize {
        self.columns.iter().map(Column::size).sum()
    }

    /// Writes what is gathered as a row group.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn group(&mut self) -> Result<(), ParquetError> {
        if self.rows() == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for column in &mut self.columns {
            let Some(mut writer) = group.next_column()? else { break };
            column.write(&mut writer)?;
            writer.close()?;
        }
        group.close()?;
        Ok(self.writer.flush()?)
    }

    /// Writes what is left, and what makes it whole.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn end(mut self) -> Result<W, ParquetError> {
        self.group()?;
        self.writer.into_inner()
    }
}

/// A Parquet file under way. It has another name until it is whole.
#[derive(Debug)]
pub struct Sheet {
    groups: Groups<BufWriter<File>>,
    path: PathBuf,
    part: PathBuf,
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
            let file = BufWriter::with_capacity(1 << 20, File::create(&part)?);
            Groups::begin(file, names, about)
        };
        let groups = begin().map_err(error(path))?;
        Ok(Self { groups, path: path.to_owned(), part })
    }

    /// Its columns. Each is given one value a row.
    pub fn columns(&mut self) -> &mut [Column] {
        self.groups.columns()
    }

    /// Bytes in memory, about.
    #[must_use]
    pub fn size(&self) -> usize {
        self.groups.size()
    }

    /// Says that a row is whole.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn row(&mut self) -> Result<(), SheetError> {
        let rows = self.groups.rows();
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
        self.groups.group().map_err(error(&self.path))
    }

    /// Ends the file: it is whole, lasts, and has its name. Gives its bytes.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn end(self) -> Result<u64, SheetError> {
        let Self { groups, path, part } = self;
        let end = || {
            let file = groups.end()?.into_inner().map_err(io::IntoInnerError::into_error)?;
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
