//! Every row of a population of the trail, oldest first, as one body that is made while it is sent.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use daybook_http::Problem;
use daybook_store::records::Reading;
use futures::stream;

use super::{Reads, answer};
use crate::audit::{self, AuditError, AuditRow, Form, HEADER, Place, Population, RowStream};
use crate::digest::Digest;

/// Rows that are read at a time.
const AT_ONCE: i64 = 2_000;

/// The form of all rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whole {
    /// Lines of text.
    Lines(Form),
    /// Apache Parquet.
    Parquet,
}

impl Whole {
    /// Every form's media type.
    pub(super) const MEDIA: [&str; 3] =
        ["application/x-ndjson", "text/csv", "application/vnd.apache.parquet"];

    /// The form in which all rows are wanted; `None`: a page is.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let accepted = headers.get_all(header::ACCEPT).iter();
        let kinds = accepted.filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(','));
        kinds.map(|kind| kind.split(';').next().map(str::trim)).find_map(|kind| match kind {
            Some("application/x-ndjson" | "application/ndjson") => Some(Self::Lines(Form::Ndjson)),
            Some("text/csv") => Some(Self::Lines(Form::Csv)),
            Some("application/vnd.apache.parquet") => Some(Self::Parquet),
            _ => None,
        })
    }

    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Lines(Form::Ndjson) => "application/x-ndjson",
            Self::Lines(Form::Csv) => "text/csv; charset=utf-8",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}

/// Makes bytes of rows.
enum Making {
    Lines(Form),
    Sheet(Box<RowStream>),
    Done,
}

impl Making {
    fn begin(form: Whole) -> Result<Self, AuditError> {
        Ok(match form {
            Whole::Lines(form) => Self::Lines(form),
            Whole::Parquet => Self::Sheet(Box::new(RowStream::begin().map_err(broken)?)),
        })
    }

    /// Takes the next rows, which `lines` of NDJSON are too; the bytes that are ready. Compressing them is
    /// work for a thread of its own.
    async fn take(
        self,
        rows: Vec<AuditRow>,
        lines: Vec<u8>,
    ) -> Result<(Self, Vec<u8>), AuditError> {
        match self {
            Self::Lines(Form::Ndjson) => Ok((self, lines)),
            Self::Lines(form) => Ok((self, written(&rows, form)?)),
            Self::Sheet(mut sheet) => {
                let taken = tokio::task::spawn_blocking(move || {
                    let bytes = sheet.take(&rows)?;
                    Ok::<_, parquet::errors::ParquetError>((Self::Sheet(sheet), bytes))
                });
                taken.await.map_err(broken)?.map_err(broken)
            }
            Self::Done => Ok((Self::Done, Vec::new())),
        }
    }

    /// The last bytes.
    fn end(self) -> Result<Vec<u8>, AuditError> {
        match self {
            Self::Lines(_) | Self::Done => Ok(Vec::new()),
            Self::Sheet(sheet) => sheet.end().map_err(broken),
        }
    }
}

/// Rows as lines.
fn written(rows: &[AuditRow], form: Form) -> Result<Vec<u8>, AuditError> {
    let mut out = Vec::with_capacity(rows.len() * 700);
    for row in rows {
        audit::write(row, form, &mut out).map_err(broken)?;
    }
    Ok(out)
}

/// What cannot be written down.
fn broken(error: impl std::error::Error + Send + Sync + 'static) -> AuditError {
    AuditError::Database(sqlx::Error::Encode(error.into()))
}

struct Walk {
    reads: Arc<Reads>,
    population: Population,
    reading: Option<Reading>,
    making: Making,
    after: Option<Place>,
    rows: i64,
    /// Of the rows as lines of NDJSON, whatever the form.
    digest: Digest,
}

impl Walk {
    /// The next bytes, of which there is at least one; none at the end, which is written down.
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, AuditError> {
        if matches!(self.making, Making::Done) {
            return Ok(None);
        }
        loop {
            let rows = self.population.page(self.after, false, AT_ONCE).await?;
            let making = std::mem::replace(&mut self.making, Making::Done);
            let bytes = if let Some(last) = rows.last() {
                self.after = Some(Place::after(last));
                self.rows += i64::try_from(rows.len()).unwrap_or(0);
                let lines = written(&rows, Form::Ndjson)?;
                self.digest.take(&lines);
                let (making, bytes) = making.take(rows, lines).await?;
                self.making = making;
                bytes
            } else {
                let bytes = making.end()?;
                if let Some(reading) = self.reading.take() {
                    let digest = self.digest.hex();
                    reading.end(&self.reads.pool, self.rows, Some(digest)).await?;
                }
                if bytes.is_empty() {
                    return Ok(None);
                }
                bytes
            };
            if !bytes.is_empty() {
                return Ok(Some((Bytes::from(bytes), self)));
            }
        }
    }
}

/// Every row. Breaks off, rather than ends, when it cannot be finished.
pub(super) fn answer(
    reads: Arc<Reads>,
    population: Population,
    form: Whole,
    reading: Reading,
) -> Result<Response, Problem> {
    let position = population.up_to;
    let header = match form {
        Whole::Lines(Form::Csv) => HEADER,
        Whole::Lines(Form::Ndjson) | Whole::Parquet => "",
    };
    let making = Making::begin(form).map_err(|error| Problem::internal(&error))?;
    let (reading, digest) = (Some(reading), Digest::default());
    let walk = Walk { reads, population, reading, making, after: None, rows: 0, digest };
    let first = stream::once(async move { Ok(Bytes::from_static(header.as_bytes())) });
    let pages = stream::try_unfold(walk, Walk::next);
    let body = Body::from_stream(futures::StreamExt::chain(first, pages));
    Ok(answer::streaming(form.content_type(), body, position))
}
