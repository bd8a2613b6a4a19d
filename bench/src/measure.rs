//! Closed loops: so many clients, each asking again as soon as it is answered, counted for a fixed
//! time after they have warmed up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::Trouble;

/// One of the clients of a measurement.
pub(crate) trait Client: Send + 'static {
    /// Asks once, and gives how many things were done by that.
    fn step(&mut self) -> impl Future<Output = Result<u64, Trouble>> + Send;
}

/// How long a measurement takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    /// Before anything is counted.
    pub(crate) warm_up: Duration,
    /// While it is counted.
    pub(crate) window: Duration,
}

/// Lets all clients ask at once, and gives how many things were done a second, with the clients,
/// who may be asked again. The first error ends it.
pub(crate) async fn rate<C: Client>(clients: Vec<C>, span: Span) -> Result<(f64, Vec<C>), Trouble> {
    let stop = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicU64::new(0));
    let mut running = JoinSet::new();
    for mut client in clients {
        let (stop, done) = (Arc::clone(&stop), Arc::clone(&done));
        running.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                done.fetch_add(client.step().await?, Ordering::Relaxed);
            }
            Ok::<_, Trouble>(client)
        });
    }
    let counted = async {
        tokio::time::sleep(span.warm_up).await;
        let (before, begun) = (done.load(Ordering::Relaxed), Instant::now());
        tokio::time::sleep(span.window).await;
        let things = done.load(Ordering::Relaxed) - before;
        #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
        let rate = things as f64 / begun.elapsed().as_secs_f64();
        rate
    };
    let rate = tokio::select! {
        rate = counted => rate,
        // None ends by itself but with an error.
        Some(ended) = running.join_next() => {
            ended??;
            return Err("a client ended early".into());
        }
    };
    stop.store(true, Ordering::Relaxed);
    let mut clients = Vec::with_capacity(running.len());
    while let Some(ended) = running.join_next().await {
        clients.push(ended??);
    }
    Ok((rate, clients))
}

/// How many of `things` a second, since `begun`.
pub(crate) fn per_second(things: i64, begun: Instant) -> f64 {
    over(things, begun.elapsed())
}

/// How many of `things` a second, in so much time.
#[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
pub(crate) fn over(things: i64, time: Duration) -> f64 {
    things as f64 / time.as_secs_f64()
}

/// The middle one; of an even number, the mean of the two in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match (sorted.len() % 2, sorted.get(middle)) {
        (0, Some(upper)) => f64::midpoint(sorted[middle - 1], *upper),
        (_, Some(value)) => *value,
        (_, None) => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < f64::EPSILON);
        assert!(median(&[]).is_nan());
    }
}
