//! The sides of this process on the network.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use daybook_command::Engine;
use daybook_projector::http::Reads;
use daybook_projector::worker::{self, Ownership};
use daybook_projector::{Posted, parked};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;

use crate::config::ServiceRole;
use crate::http::{self, Authenticator, Health, LimitSettings, Limits, Readiness};
use crate::serve::{Runtime, TaskError};

/// How long a stopping process waits until the last reads are written down.
const WRITTEN_WITHIN: Duration = Duration::from_secs(5);
/// Requests being worked on at a time.
const AT_ONCE: usize = 2048;

/// Starts counting. Once a process; a second call in one process, as tests do, counts on its own.
#[must_use]
pub fn count() -> PrometheusHandle {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _ = metrics::set_global_recorder(recorder);
    handle
}

/// Serves what this process has until it is cancelled.
///
/// # Errors
/// The address is taken, or the listener fails.
pub async fn run(
    runtime: Runtime,
    engine: Option<Arc<Engine>>,
    reads: Option<Arc<Reads>>,
    metrics: PrometheusHandle,
) -> Result<(), TaskError> {
    let mut sides = Router::new();
    if let Some(engine) = &engine {
        let sizes = daybook_command::http::Sizes {
            command: runtime.settings.body_limit,
            batch: runtime.settings.batch_body_limit,
        };
        sides = sides.merge(daybook_command::http::router_with(Arc::clone(engine), sizes));
    }
    if let Some(reads) = &reads {
        sides = sides.merge(daybook_projector::http::router(Arc::clone(reads)));
    }
    let limits = Arc::new(Limits::new(LimitSettings {
        per_key: NonZeroU32::new(runtime.settings.rate_limit),
        per_address: NonZeroU32::new(runtime.settings.rate_limit),
        at_once: AT_ONCE,
    }));
    let authenticator = Arc::new(Authenticator::new(runtime.pools.reader.clone()));
    let health = Health { check: check(&runtime), metrics: metrics.clone() };
    let shell = http::shell(sides, authenticator, Arc::clone(&limits), health, &runtime.settings);
    let listen = runtime.settings.listen;
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| format!("cannot listen on {listen}: {error}. Choose another --listen"))?;
    tracing::info!(%listen, "answering");
    let tidy = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_secs(30));
        loop {
            ticks.tick().await;
            limits.forget_quiet();
            metrics.run_upkeep();
        }
    });
    let served = http::serve(listener, shell, runtime.cancel.clone(), &runtime.settings).await;
    tidy.abort();
    if let Some(reads) = reads {
        reads.flush_records(WRITTEN_WITHIN).await;
    }
    served.map_err(Into::into)
}

/// Asks each part of the process how it is.
fn check(
    runtime: &Runtime,
) -> Arc<dyn Fn() -> futures::future::BoxFuture<'static, Vec<Readiness>> + Send + Sync> {
    let runtime = runtime.clone();
    Arc::new(move || {
        let runtime = runtime.clone();
        Box::pin(async move {
            let mut parts = vec![database(&runtime).await];
            if runtime.settings.roles.has(ServiceRole::Projector)
                || runtime.settings.roles.has(ServiceRole::Query)
            {
                parts.push(projector(&runtime).await);
            }
            if runtime.settings.roles.has(ServiceRole::Projector) {
                parts.push(ownership(&runtime).await);
            }
            parts
        })
    })
}

async fn database(runtime: &Runtime) -> Readiness {
    let asked = tokio::time::timeout(Duration::from_secs(2), runtime.check()).await;
    let (ready, detail) = match asked {
        Ok(Ok(())) => (true, "reachable, with the schema that this binary knows".to_owned()),
        Ok(Err(error)) => (false, error.to_string()),
        Err(_) => (false, "no answer within two seconds".to_owned()),
    };
    Readiness { part: "database", ready, detail }
}

/// Whether this process's projector can come by lanes as this database gives them out.
async fn ownership(runtime: &Runtime) -> Readiness {
    let asked = worker::ownership(&runtime.pools.projector);
    let (ready, detail) = match tokio::time::timeout(Duration::from_secs(2), asked).await {
        Ok(Ok(Ownership::Kafka)) if runtime.settings.kafka_brokers.is_none() => {
            (false, worker::WHY_IDLE.to_owned())
        }
        Ok(Ok(mode)) => (true, format!("lanes are given out by {mode}")),
        Ok(Err(error)) => (false, error.to_string()),
        Err(_) => (false, "no answer within two seconds".to_owned()),
    };
    Readiness { part: "ownership", ready, detail }
}

async fn projector(runtime: &Runtime) -> Readiness {
    let pool = &runtime.pools.projector;
    let told = async {
        let lag = Posted::new(pool.clone()).lag().await.map_err(|error| error.to_string())?;
        let parked = parked::parked(pool).await.map_err(|error| error.to_string())?;
        Ok::<_, String>((lag, parked.len()))
    };
    let (ready, detail) = match tokio::time::timeout(Duration::from_secs(2), told).await {
        // Parked events stop their lanes, not the service: they are told of, and counted.
        Ok(Ok((lag, parked))) => {
            (true, format!("{} events ({:.1} s) behind, {parked} parked", lag.events, lag.seconds))
        }
        Ok(Err(error)) => (false, error),
        Err(_) => (false, "no answer within two seconds".to_owned()),
    };
    Readiness { part: "projector", ready, detail }
}
