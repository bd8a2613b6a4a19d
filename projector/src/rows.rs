//! The rows that a batch of events touches, in memory: loaded in bulk, changed
//! by projections, written in bulk. No SQL here.

use std::collections::{BTreeSet, HashMap, HashSet};

use uuid::Uuid;

use crate::table::Row;

/// A projection and the rows do not fit together: a fault in our code, or tables changed by hand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The row to be made is there already.
    #[error("{table} {key} is there already")]
    Exists {
        /// The table.
        table: &'static str,
        /// The row's key.
        key: String,
    },
    /// The row to be changed is not there.
    #[error("{table} {key} is not there")]
    Missing {
        /// The table.
        table: &'static str,
        /// The row's key.
        key: String,
    },
    /// `touches` did not name the row that `project` asked for.
    #[error("{table} {key} was not announced by touches()")]
    Unannounced {
        /// The table.
        table: &'static str,
        /// The row's key.
        key: String,
    },
    /// An event changed more rows than its audit ids have room for.
    #[error("one event changes {0} rows; at most 1048575 have an audit id")]
    TooMany(usize),
}

/// The keys that events touch, of one table.
#[derive(Debug, Clone)]
pub struct TouchedKeys<R: Row> {
    needed: BTreeSet<R::Key>,
    made: HashSet<R::Key>,
}

impl<R: Row> Default for TouchedKeys<R> {
    fn default() -> Self {
        Self { needed: BTreeSet::new(), made: HashSet::new() }
    }
}

impl<R: Row> TouchedKeys<R> {
    /// The event reads or changes this row: it is loaded before.
    pub fn needs(&mut self, key: R::Key) {
        if !self.made.contains(&key) {
            self.needed.insert(key);
        }
    }

    /// The event makes this row, whose key is new in the log: nothing is loaded, and the table's
    /// primary key refuses should it be there after all.
    pub fn makes(&mut self, key: R::Key) {
        self.made.insert(key);
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.needed.is_empty() && self.made.is_empty()
    }

    /// All of them, in order.
    pub(crate) fn into_keys(self) -> Vec<R::Key> {
        let mut keys = self.needed;
        keys.extend(self.made);
        keys.into_iter().collect()
    }
}

#[derive(Debug, Clone)]
struct Slot<R> {
    /// As the table has it. Most rows are made and never loaded: those need no room for it.
    stored: Option<Box<R>>,
    /// As it is to be.
    current: Option<R>,
    /// When it was last touched, counted in batches.
    used: u64,
    /// By which event it was last changed, as [`TableRows`] counts them.
    changed: u64,
}

/// One change of one row by one event.
#[derive(Debug, Clone, PartialEq)]
pub struct Change<R> {
    /// The row before, unless it was made.
    pub before: Option<R>,
    /// The row after, unless it was deleted.
    pub after: Option<R>,
}

/// The rows of one table.
#[derive(Debug, Clone)]
pub struct TableRows<R: Row> {
    slots: HashMap<R::Key, Slot<R>>,
    /// What the event under way has changed: each row as it was before the event.
    before: Vec<(R::Key, Option<Box<R>>)>,
    /// The number of the event under way, from 1.
    event: u64,
    clock: u64,
    /// Whether the table may hold rows that are not here.
    spilled: bool,
}

impl<R: Row> Default for TableRows<R> {
    fn default() -> Self {
        Self { slots: HashMap::new(), before: Vec::new(), event: 1, clock: 0, spilled: true }
    }
}

/// What is to be written to one table.
#[derive(Debug, Default)]
pub struct Writes<'a, R> {
    /// New rows, in key order.
    pub inserts: Vec<&'a R>,
    /// Changed rows, in key order.
    pub updates: Vec<&'a R>,
    /// Rows that are gone, as they were stored, in key order.
    pub deletes: Vec<&'a R>,
}

impl<R: Row> TableRows<R> {
    /// No rows, of a table that is empty: what is not here is not there.
    #[must_use]
    pub fn of_empty_table() -> Self {
        Self { spilled: false, ..Self::default() }
    }

    /// The row, as it is after the events so far.
    ///
    /// # Errors
    /// When `touches` did not name it.
    pub fn get(&self, key: &R::Key) -> Result<Option<&R>, Fault> {
        match self.slots.get(key) {
            Some(slot) => Ok(slot.current.as_ref()),
            None => Err(Fault::Unannounced { table: R::TABLE, key: format!("{key:?}") }),
        }
    }

    /// Makes a row.
    ///
    /// # Errors
    /// When it is there already, or `touches` did not name it.
    pub fn insert(&mut self, row: R) -> Result<(), Fault> {
        let key = row.key();
        let slot = slot(&mut self.slots, &key)?;
        if slot.current.is_some() {
            return Err(Fault::Exists { table: R::TABLE, key: format!("{key:?}") });
        }
        remember(&mut self.before, self.event, &key, slot);
        slot.current = Some(row);
        Ok(())
    }

    /// Changes a row.
    ///
    /// # Errors
    /// When it is not there, or `touches` did not name it.
    pub fn update(&mut self, key: &R::Key, change: impl FnOnce(&mut R)) -> Result<(), Fault> {
        let slot = slot(&mut self.slots, key)?;
        remember(&mut self.before, self.event, key, slot);
        match &mut slot.current {
            Some(row) => change(row),
            None => return Err(Fault::Missing { table: R::TABLE, key: format!("{key:?}") }),
        }
        Ok(())
    }

    /// Changes a row, and gives it as it was and as it is.
    ///
    /// # Errors
    /// When it is not there, or `touches` did not name it.
    pub fn changed(&mut self, key: &R::Key, change: impl FnOnce(&mut R)) -> Result<(R, R), Fault> {
        let before = self.get(key)?.cloned();
        self.update(key, change)?;
        match (before, self.get(key)?.cloned()) {
            (Some(before), Some(after)) => Ok((before, after)),
            (None | Some(_), None | Some(_)) => {
                Err(Fault::Missing { table: R::TABLE, key: format!("{key:?}") })
            }
        }
    }

    /// Removes a row.
    ///
    /// # Errors
    /// When it is not there, or `touches` did not name it.
    pub fn delete(&mut self, key: &R::Key) -> Result<(), Fault> {
        let slot = slot(&mut self.slots, key)?;
        if slot.current.is_none() {
            return Err(Fault::Missing { table: R::TABLE, key: format!("{key:?}") });
        }
        remember(&mut self.before, self.event, key, slot);
        slot.current = None;
        Ok(())
    }

    /// Starts a batch that touches these keys; gives the keys that must be loaded, in order.
    pub(crate) fn begin(&mut self, touched: TouchedKeys<R>) -> Vec<R::Key> {
        self.clock += 1;
        let used = self.clock;
        self.slots.reserve(touched.needed.len() + touched.made.len());
        let mut missing = Vec::new();
        for key in touched.needed {
            match self.slots.get_mut(&key) {
                Some(slot) => slot.used = used,
                None if self.spilled => missing.push(key),
                None => {
                    self.slots.insert(key, Slot { stored: None, current: None, used, changed: 0 });
                }
            }
        }
        // A key may be both: freed by one event, taken by a later one. Then what is loaded counts.
        for key in touched.made {
            self.slots
                .entry(key)
                .or_insert(Slot { stored: None, current: None, used, changed: 0 })
                .used = used;
        }
        missing
    }

    /// Takes in what was loaded for `keys`; those without a row are not there.
    pub(crate) fn loaded(&mut self, keys: Vec<R::Key>, rows: Vec<R>) {
        let used = self.clock;
        for key in keys {
            self.slots.insert(key, Slot { stored: None, current: None, used, changed: 0 });
        }
        for row in rows {
            let key = row.key();
            self.slots.insert(
                key,
                Slot { stored: Some(Box::new(row.clone())), current: Some(row), used, changed: 0 },
            );
        }
    }

    /// What the event under way changed, in key order, and starts the next one.
    pub(crate) fn take_changes(&mut self) -> Vec<Change<R>> {
        self.event += 1;
        if self.before.is_empty() {
            return Vec::new();
        }
        self.before.sort_by(|(left, _), (right, _)| left.cmp(right));
        let slots = &self.slots;
        self.before
            .drain(..)
            .filter_map(|(key, before)| {
                let before = before.map(|row| *row);
                let after = slots.get(&key).and_then(|slot| slot.current.clone());
                (before != after).then_some(Change { before, after })
            })
            .collect()
    }

    /// What differs from the table.
    pub(crate) fn writes(&self) -> Writes<'_, R> {
        self.writes_of(|_, _| true)
    }

    /// What differs from the table, among the rows that `wanted` accepts, and everything that is gone.
    pub(crate) fn writes_of(&self, wanted: impl Fn(&R, u64) -> bool) -> Writes<'_, R> {
        let mut writes = Writes { inserts: Vec::new(), updates: Vec::new(), deletes: Vec::new() };
        for slot in self.slots.values() {
            match (&slot.stored, &slot.current) {
                (None, Some(row)) if wanted(row, slot.used) => writes.inserts.push(row),
                (Some(stored), Some(row)) if **stored != *row && wanted(row, slot.used) => {
                    writes.updates.push(row);
                }
                (Some(row), None) => writes.deletes.push(row),
                (None | Some(_), None | Some(_)) => {}
            }
        }
        for rows in [&mut writes.inserts, &mut writes.updates, &mut writes.deletes] {
            rows.sort_by_cached_key(|row| row.key());
        }
        writes
    }

    /// Every row that is here, in key order.
    pub(crate) fn current(&self) -> Vec<&R> {
        let mut rows: Vec<&R> =
            self.slots.values().filter_map(|slot| slot.current.as_ref()).collect();
        rows.sort_by_cached_key(|row| row.key());
        rows
    }

    /// Forgets the rows that were just written: those that `written` accepts, by when they were last
    /// used, and those that are gone.
    pub(crate) fn forget(&mut self, written: impl Fn(&R, u64) -> bool) {
        let spilled = &mut self.spilled;
        self.slots.retain(|_, slot| match &slot.current {
            Some(row) if written(row, slot.used) => {
                *spilled = true;
                false
            }
            Some(_) => true,
            None => false,
        });
    }

    /// How many rows are here.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The age, in batches, beyond which all but the `keep` most recently used rows are.
    pub(crate) fn age_of(&self, keep: usize) -> u64 {
        let mut ages: Vec<u64> = self.slots.values().map(|slot| slot.used).collect();
        if ages.len() <= keep || keep == 0 {
            return if keep == 0 { u64::MAX } else { 0 };
        }
        let at = ages.len() - keep;
        *ages.select_nth_unstable(at).1
    }
}

fn slot<'a, R: Row>(
    slots: &'a mut HashMap<R::Key, Slot<R>>,
    key: &R::Key,
) -> Result<&'a mut Slot<R>, Fault> {
    slots
        .get_mut(key)
        .ok_or_else(|| Fault::Unannounced { table: R::TABLE, key: format!("{key:?}") })
}

/// Remembers a row as it was before the event, once.
fn remember<R: Row>(
    before: &mut Vec<(R::Key, Option<Box<R>>)>,
    event: u64,
    key: &R::Key,
    slot: &mut Slot<R>,
) {
    if slot.changed != event {
        slot.changed = event;
        before.push((key.clone(), slot.current.clone().map(Box::new)));
    }
}

/// A row as people see it: its table, whose it is, and its columns without secrets.
#[derive(Debug, Clone, serde::Serialize)]
pub struct SeenRow {
    /// The table.
    pub table: &'static str,
    /// The entity's id (`audit_logs.entity_id`).
    pub entity: Uuid,
    /// The row as JSON.
    pub row: Box<serde_json::value::RawValue>,
}
