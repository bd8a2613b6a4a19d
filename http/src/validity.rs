//! Whether a caller who was let in once is still welcome: for answers that last.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;

type Ask = dyn Fn() -> BoxFuture<'static, bool> + Send + Sync;

/// Asks again whether the caller's key still works. The shell puts it into the request's extensions;
/// answers that go on for longer than a moment ask it, so that a revoked key ends them.
#[derive(Clone)]
pub struct StillValid(Arc<Ask>);

impl StillValid {
    /// Asks like this.
    pub fn new(ask: impl Fn() -> BoxFuture<'static, bool> + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }

    /// Whether the key still works, as far as is known.
    pub async fn ask(&self) -> bool {
        (self.0)().await
    }
}

impl fmt::Debug for StillValid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StillValid")
    }
}
