//! A client as any other.

use std::sync::Once;

/// An HTTP client. Another crate's choice of features leaves the TLS library without a
/// default way to encrypt, so the process is given one, once.
#[must_use]
pub fn client() -> reqwest::Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::new()
}
