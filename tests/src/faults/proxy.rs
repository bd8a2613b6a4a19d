//! A TCP proxy before PostgreSQL that can cut connections when an answer is on its way: the server
//! has done what it was asked, and who asked never learns it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

/// The proxy; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Proxy {
    /// Its port on 127.0.0.1.
    pub(super) port: u16,
    /// How many cuts were asked for. A connection that notices a new one ends instead of passing on
    /// what the server just sent.
    cuts: Arc<AtomicU64>,
    _accepting: AbortOnDropHandle<()>,
}

impl Proxy {
    /// Starts one before a port of 127.0.0.1.
    pub(super) async fn start(upstream: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let cuts = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&cuts);
        let accepting = tokio::spawn(async move {
            loop {
                let Ok((client, _)) = listener.accept().await else { continue };
                tokio::spawn(pass(client, upstream, Arc::clone(&seen)));
            }
        });
        Self { port, cuts, _accepting: AbortOnDropHandle::new(accepting) }
    }

    /// Every connection ends where it next has an answer to pass on.
    pub(super) fn cut(&self) {
        self.cuts.fetch_add(1, Ordering::SeqCst);
    }
}

async fn pass(client: TcpStream, upstream: u16, cuts: Arc<AtomicU64>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", upstream)).await else { return };
    let (client_nodelay, server_nodelay) = (client.set_nodelay(true), server.set_nodelay(true));
    if client_nodelay.is_err() || server_nodelay.is_err() {
        return;
    }
    let begun = cuts.load(Ordering::SeqCst);
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let asking = async move {
        let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
    };
    let answering = async move {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match from_server.read(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(_) if cuts.load(Ordering::SeqCst) != begun => return,
                Ok(read) => {
                    if to_client.write_all(&buffer[..read]).await.is_err() {
                        return;
                    }
                }
            }
        }
    };
    tokio::select! {
        () = asking => {}
        () = answering => {}
    }
}
