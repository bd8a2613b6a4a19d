//! What every source of real data is, whatever it has.

use std::fmt::Display;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use daybook_command::Engine;
use serde::Serialize;
use sqlx::PgPool;

use super::report::{Check, ImportError, Report};

/// Real data from elsewhere, read and checked, whose import can be repeated: every command has an
/// id made from the data.
pub trait Source: Sized + Send + Sync {
    /// What its import says when it is done.
    type Told: AsRef<Report> + AsMut<Report> + Display + Serialize + Send;

    /// Reads and checks the files in `folder`. What single lines have wrong is in [`Source::told`].
    ///
    /// # Errors
    /// A file cannot be read.
    fn read(folder: &Path) -> Result<Self, ImportError>;

    /// What there is to say before anything is sent.
    fn told(&self) -> Self::Told;

    /// What there is to import, in a few words with numbers.
    fn summary(&self) -> String;

    /// Submits its commands.
    fn import(&self, engine: Arc<Engine>) -> impl Future<Output = Self::Told> + Send;

    /// Compares what was posted with the source.
    ///
    /// # Errors
    /// The read tables cannot be read.
    fn compare(
        &self,
        pool: &PgPool,
    ) -> impl Future<Output = Result<Vec<Check>, ImportError>> + Send;
}
