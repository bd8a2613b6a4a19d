//! Where events go, one after the other.

use daybook_store::Recorded;

use super::ReplayError;

/// A form of output. It is written to by one thread, from the first event to the last.
pub trait Sink: Send {
    /// Takes one event, whose canonical line is `line`.
    ///
    /// # Errors
    /// When it cannot be written.
    fn take(&mut self, event: &Recorded, line: &[u8]) -> Result<(), ReplayError>;

    /// Whether all that was taken may be made to last now, before `next` (`None`: whatever comes).
    fn rests(&self, next: Option<&Recorded>) -> bool;

    /// Makes all that was taken last; gives the bytes from which another run goes on. `None`: it has none of
    /// its own, and those of the lines count.
    ///
    /// # Errors
    /// When it cannot be written.
    fn settle(&mut self) -> Result<Option<u64>, ReplayError>;

    /// How far the output itself says that it is, once it is settled: what it must have when another run
    /// goes on.
    fn mark(&self) -> i64 {
        0
    }

    /// Lets whoever reads along see all that was taken.
    ///
    /// # Errors
    /// When it cannot be written.
    fn show(&mut self) -> Result<(), ReplayError>;

    /// Ends the output, for good; gives its bytes, as [`settle`](Self::settle) does.
    ///
    /// # Errors
    /// When it cannot be written.
    fn end(&mut self) -> Result<Option<u64>, ReplayError>;
}
