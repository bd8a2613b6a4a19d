//! Fills empty tables from the log by COPY.

use std::collections::{BTreeMap, BTreeSet};

use daybook_store::{Log, Recorded};
use futures::{StreamExt, pin_mut};
use sqlx::PgConnection;

use super::{Memory, OnProgress, Progress, RebuildError};
use crate::catalog::{Event, Month, Rows, Tables, Touched, month_of};
use crate::platform::audit_log::{AuditLogRow, Trail};
use crate::worker::lanes::Checkpoint;
use crate::worker::post::make_partition;
use crate::write;

/// Fills empty tables.
pub(super) struct Fill<'a> {
    pub(super) tables: &'a Tables,
    pub(super) connection: &'a mut PgConnection,
    /// Where the partitions are made that live tables need; `None` for tables without partitions.
    pub(super) partitions: Option<Partitions>,
    memory: Memory,
    rows: Rows,
    audit: Vec<AuditLogRow>,
    reached: BTreeMap<i16, Checkpoint>,
    written: usize,
}

/// Makes partitions within the transaction that fills them.
#[derive(Default)]
pub(super) struct Partitions {
    known: BTreeSet<Month>,
}

/// What a fill has done.
pub(super) struct Filled {
    /// The rows written.
    pub(super) rows: usize,
    /// Up to where each lane was folded.
    pub(super) reached: BTreeMap<i16, Checkpoint>,
}

impl<'a> Fill<'a> {
    pub(super) fn new(
        tables: &'a Tables,
        connection: &'a mut PgConnection,
        partitions: Option<Partitions>,
        memory: Memory,
    ) -> Self {
        Self {
            tables,
            connection,
            partitions,
            memory,
            rows: Rows::of_empty_tables(),
            audit: Vec::new(),
            reached: BTreeMap::new(),
            written: 0,
        }
    }

    /// Folds everything up to `up_to`, of each lane only as far as `wanted` accepts.
    pub(super) async fn run(
        mut self,
        log: &Log,
        up_to: i64,
        wanted: impl Fn(&Recorded) -> bool,
        progress: OnProgress<'_>,
    ) -> Result<Filled, RebuildError> {
        let pages = log.copy(0, up_to);
        pin_mut!(pages);
        while let Some(page) = pages.next().await {
            let mut page = page?;
            let done = page.last().map_or(up_to, |event| event.position);
            page.retain(&wanted);
            self.page(&page).await?;
            progress(Progress { done, total: up_to });
        }
        self.write(0).await?;
        Ok(Filled { rows: self.written, reached: self.reached })
    }

    async fn page(&mut self, page: &[Recorded]) -> Result<(), RebuildError> {
        let mut touched = Touched::default();
        let mut events = Vec::with_capacity(page.len());
        for recorded in page {
            let event = Event::decode(recorded)
                .map_err(|source| RebuildError::Decode { position: recorded.position, source })?;
            event.touches(recorded, &mut touched);
            events.push(event);
        }
        self.rows.load(touched, self.tables, self.connection).await?;
        for (event, recorded) in events.iter().zip(page) {
            event
                .project(recorded, &mut self.rows)
                .and_then(|()| self.rows.record(&mut Trail::of(recorded, &mut self.audit)))
                .map_err(|fault| RebuildError::Fault { position: recorded.position, fault })?;
            let Recorded { lane, lane_seq, position, .. } = *recorded;
            self.reached.insert(lane, Checkpoint { lane_seq, position });
        }
        if self.audit.len() >= self.memory.gathered {
            self.write(self.memory.kept).await?;
        }
        Ok(())
    }

    /// Writes what is settled and all but `keep` rows a table of the rest.
    async fn write(&mut self, keep: usize) -> Result<(), RebuildError> {
        if let Some(partitions) = &mut self.partitions {
            let mut months = BTreeSet::new();
            self.rows.months(&mut months);
            let audit = self.audit.iter().map(|row| month_of::<AuditLogRow>(row.created_at));
            months.extend(audit);
            for month in months {
                if partitions.known.insert(month) {
                    make_partition(month, &mut *self.connection).await?;
                }
            }
        }
        self.written += self.rows.spill(keep, self.tables, self.connection).await?;
        let audit = std::mem::take(&mut self.audit);
        self.written += write::copy(&self.tables.audit_logs, &audit, self.connection).await?;
        Ok(())
    }
}
