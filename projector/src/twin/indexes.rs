//! Keys and indexes of a second set of read tables: some before the rows are there, the rest after.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use sqlx::{PgConnection, PgPool};
use tokio::task::JoinSet;

use super::{ALONE, AUDIT, PRINTING, Twin, joined, run, sizes_of};

impl Twin {
    /// Makes the primary keys of all tables but `audit_logs`, whose rows are never looked for while
    /// they are written; of a steady set its key too, and every index that is not unique.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn make_keys(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let indexes = self.indexes(connection).await?;
        let mut transaction = sqlx::Connection::begin(connection).await?;
        run(PRINTING, &mut transaction).await?;
        for index in indexes {
            if index.is_early(self.steady) {
                run(&index.make, &mut transaction).await?;
            }
        }
        transaction.commit().await
    }

    /// Makes the keys and indexes that are still to be made, a table at a time on each of `at_once`
    /// connections of `pool`. `tell` hears of how many bytes of tables indexes were made, and of how many
    /// they are to be.
    ///
    /// # Errors
    /// When the server refuses, as it does when the rows break a unique key.
    pub async fn make_indexes(
        &self,
        at_once: usize,
        pool: &PgPool,
        tell: impl Fn(i64, i64) + Send + Sync + Clone + 'static,
    ) -> Result<(), sqlx::Error> {
        let mut connection = pool.acquire().await?;
        let mut by_table: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let sizes = sizes_of(&self.names, &self.schema, &mut connection).await?;
        let size = |table: &str| sizes.get(table).copied().unwrap_or(0);
        let mut total = 0;
        for index in self.indexes(&mut connection).await? {
            if !index.is_early(self.steady) {
                total += size(&index.table);
                by_table.entry(index.table).or_default().push(index.make);
            }
        }
        drop(connection);
        let mut queue: Vec<(String, Vec<String>)> = by_table.into_iter().collect();
        // The largest first, so that the last ones to be made are short.
        queue.sort_by_key(|(table, _)| std::cmp::Reverse(size(table)));
        let queue: VecDeque<_> =
            queue.into_iter().map(|(table, statements)| (size(&table), statements)).collect();
        let queue = Arc::new(Mutex::new(queue));
        let done = Arc::new(AtomicI64::new(0));
        let mut making = JoinSet::<Result<(), sqlx::Error>>::new();
        for _ in 0..at_once.max(1) {
            let (pool, queue, done) = (pool.clone(), Arc::clone(&queue), Arc::clone(&done));
            let tell = tell.clone();
            making.spawn(async move {
                let mut connection = pool.acquire().await?.detach();
                run("SET maintenance_work_mem = '256MB'", &mut connection).await?;
                if at_once <= 1 {
                    run(ALONE, &mut connection).await?;
                }
                loop {
                    let next = queue.lock().ok().and_then(|mut queue| queue.pop_front());
                    let Some((size, statements)) = next else { return Ok(()) };
                    for statement in statements {
                        run(&statement, &mut connection).await?;
                        let made = done.fetch_add(size, Ordering::SeqCst) + size;
                        tell(made, total);
                    }
                }
            });
        }
        while joined(&mut making).await?.is_some() {}
        Ok(())
    }

    async fn indexes(&self, connection: &mut PgConnection) -> Result<Vec<Index>, sqlx::Error> {
        self.definitions(include_str!("indexes.sql"), connection).await
    }
}

#[derive(Debug, sqlx::FromRow)]
struct Index {
    #[sqlx(rename = "relname")]
    table: String,
    is_primary: bool,
    is_unique: bool,
    #[sqlx(rename = "statement")]
    make: String,
}

impl Index {
    fn is_early(&self, steady: bool) -> bool {
        self.is_primary && (steady || self.table != AUDIT) || steady && !self.is_unique
    }
}
