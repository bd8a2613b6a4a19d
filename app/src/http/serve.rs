//! The listener.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower::Layer;

use crate::config::Settings;

/// How a connection in HTTP/2 begins.
const HTTP2: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Answers on `listener` until `cancel`; then lets open requests end.
///
/// # Errors
/// The listener itself fails.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    cancel: CancellationToken,
    settings: &Settings,
) -> io::Result<()> {
    let graceful = GracefulShutdown::new();
    loop {
        let (stream, peer) = tokio::select! {
            () = cancel.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(connection) => connection,
                Err(error) => {
                    // Out of file descriptors, or a client that is gone already.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                }
            },
        };
        let _ = stream.set_nodelay(true);
        let service = with_peer(router.clone(), peer);
        let patience = settings.header_timeout.duration();
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(settings.header_timeout.duration());
        builder.http2().timer(TokioTimer::new()).keep_alive_interval(Duration::from_secs(30));
        let watcher = graceful.watcher();
        let stopping = cancel.clone();
        tokio::spawn(async move {
            let speaks = tokio::select! {
                () = stopping.cancelled() => false,
                speaks = begins(&stream, patience) => speaks,
            };
            if !speaks {
                return;
            }
            let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
            if let Err(error) = watcher.watch(connection).await {
                tracing::debug!(%error, "a connection ended badly");
            }
        });
    }
    drop(listener);
    // Something is left of the grace for the appends that these requests wait for.
    let grace = settings.shutdown_grace.duration() / 2;
    if tokio::time::timeout(grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time and were cut off");
    }
    Ok(())
}

/// Whether the client begins to speak in time. The HTTP library has no limit for the first bytes, by
/// which it tells HTTP/2 from HTTP/1; its own begins after them.
async fn begins(stream: &TcpStream, patience: Duration) -> bool {
    let spoken = async {
        let mut first = [0; HTTP2.len()];
        let mut seen = 0;
        loop {
            match stream.peek(&mut first).await {
                Ok(0) | Err(_) => return false,
                Ok(count) if count == HTTP2.len() || first[..count] != HTTP2[..count] => {
                    return true;
                }
                // What was seen stays readable: only time tells whether more comes.
                Ok(count) if count == seen => tokio::time::sleep(Duration::from_millis(20)).await,
                Ok(count) => seen = count,
            }
        }
    };
    tokio::time::timeout(patience, spoken).await.unwrap_or(false)
}

fn with_peer(
    router: Router,
    peer: SocketAddr,
) -> TowerToHyperService<axum::middleware::AddExtension<Router, ConnectInfo<SocketAddr>>> {
    TowerToHyperService::new(axum::Extension(ConnectInfo(peer)).layer(router))
}
