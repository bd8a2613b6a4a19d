//! A few connections kept for the shortest questions. A pool asks each connection whether it is
//! well whenever it comes back, which doubles what a question by key costs; these are only asked
//! when they have rested. They are not the pool's: one that fails, or whose question is given up
//! half way, is closed and another is made.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnection;
use sqlx::{ConnectOptions, Connection, PgPool};
use tokio::sync::{Semaphore, SemaphorePermit};

/// How many there are at most, a log and process.
const AT_MOST: usize = 8;
/// For how long one rests before it is asked whether it is still alive.
const RESTED: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Kept {
    pool: PgPool,
    turns: Semaphore,
    idle: Arc<Mutex<Vec<(Instant, PgConnection)>>>,
}

/// A connection for one question.
#[derive(Debug)]
pub(super) struct Lent<'k> {
    pub(super) connection: PgConnection,
    idle: &'k Mutex<Vec<(Instant, PgConnection)>>,
    _turn: SemaphorePermit<'k>,
}

impl Kept {
    /// Connections such as the pool's.
    pub(super) fn like(pool: PgPool) -> Self {
        Self { pool, turns: Semaphore::new(AT_MOST), idle: Arc::default() }
    }

    /// One of them, once one is free.
    ///
    /// # Errors
    /// The pool is closed, or no connection can be made.
    pub(super) async fn lend(&self) -> Result<Lent<'_>, sqlx::Error> {
        let turn = self.turns.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
        if self.pool.is_closed() {
            self.idle().clear();
            return Err(sqlx::Error::PoolClosed);
        }
        let kept = self.idle().pop();
        let connection = match kept {
            Some((since, connection)) if since.elapsed() < RESTED => connection,
            Some((_, mut connection)) => match connection.ping().await {
                Ok(()) => connection,
                Err(_) => self.pool.connect_options().connect().await?,
            },
            None => self.pool.connect_options().connect().await?,
        };
        Ok(Lent { connection, idle: &self.idle, _turn: turn })
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(Instant, PgConnection)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lent<'_> {
    /// Gives it back; only after an answer that was read to its end.
    pub(super) fn done(self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push((Instant::now(), self.connection));
    }
}
