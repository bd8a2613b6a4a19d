//! The moment in which a set of read tables takes the place of the live one.
//!
//! What holds, and why:
//! - Readers see one set or the other, whole. The tables change places in one transaction that holds
//!   every one of them locked; a reader that waits for it looks the name up again and reads the new
//!   table. The locks are had within a moment or given back, long before PostgreSQL would look for
//!   deadlocks (1 s): nobody is ever chosen to fail for it.
//! - No event is lost or posted twice. The lanes' rows are locked first: workers wait at the first
//!   statement of their next batch, and then find another epoch and other checkpoints, which are
//!   those of the set that is live now. A process that dies gives everything back with its locks.
//! - Nobody sees less than before. The new set is caught up beyond the live one, committed, and every
//!   snapshot that is older than that is waited for, before the tables are locked.

use std::time::{Duration, Instant};

use daybook_store::Log;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use super::catch_up::{CatchUp, Towards, Transactions};
use super::part::ByHand;
use super::reached::Reached;
use super::{BEFORE, NEXT, RebuildError, drift};
use crate::catalog::{NAME, VERSION};
use crate::table::LIVE;
use crate::twin::{self, Twin};
use crate::worker::lanes::Checkpoint;

/// For how long workers wait, at most, for snapshots that are older than the caught-up point.
const SNAPSHOTS: Duration = Duration::from_secs(1);
/// For how long the first table is waited for, and new readers of it with us: far less than the
/// second after which PostgreSQL looks for deadlocks, also on a machine that is busy.
const FIRST: Duration = Duration::from_millis(300);
/// For how long each of the others is.
const OTHERS: Duration = Duration::from_millis(50);
/// For how long all of them are, once the first is had.
const ALL: Duration = Duration::from_millis(400);
/// For how long that is tried before the workers, who wait too, are let go on for a while.
const TRIED: Duration = Duration::from_secs(1);

/// For how long a process that was stopped keeps the workers waiting.
const STOPPED_BESIDE_WORKERS: Duration = Duration::from_secs(120);
/// For how long it keeps readers.
const STOPPED_BEFORE_READERS: Duration = Duration::from_secs(3);

/// How often something that reads the tables may go while it is looked at: after that something is wrong.
const VIEWS_GO: i32 = 20;

/// Two connections of the owner: what is locked by one is filled by the other.
pub(super) struct Hands<'a> {
    /// Holds the locks, and changes places.
    pub(super) holding: &'a mut PgConnection,
    /// Catches up.
    pub(super) filling: &'a mut PgConnection,
}

/// What is to become live, and how.
pub(super) struct Swap<'a> {
    pub(super) coming: Twin,
    pub(super) log: &'a Log,
    /// The row in `projector.rebuilds` that says so in the same transaction, and what it says.
    pub(super) said: (Uuid, &'static str),
    /// How long to go on trying.
    pub(super) patience: Duration,
    /// Told who holds it up.
    pub(super) held_up: &'a (dyn Fn(Option<String>) + Send + Sync),
    /// How the coming set is caught up before the workers have to wait.
    pub(super) transactions: Transactions,
    /// What was changed by hand in tables that were copied, which must be all; `None`: none were.
    pub(super) by_hand: Option<ByHand<'a>>,
}

/// Why an attempt came to nothing.
enum Attempt {
    Done(i64),
    HeldUp(String),
}

impl Swap<'_> {
    /// Tries until it is done or patience ends. `following` catches the coming set up; without it,
    /// the set comes as it is, with the checkpoints in `as_it_is`. Gives the position up to which
    /// the tables that are live now are posted in the lane that is furthest.
    pub(super) async fn run(
        &self,
        mut following: Option<&mut CatchUp>,
        as_it_is: &Reached,
        mut hands: Hands<'_>,
    ) -> Result<i64, RebuildError> {
        let mut pause = Duration::from_millis(50);
        let mut how = self.transactions;
        let (mut begun, mut went) = (None, 0);
        loop {
            if let Some(following) = following.as_deref_mut() {
                how = self.close_in(following, how, hands.filling).await?;
            }
            let begun = *begun.get_or_insert_with(Instant::now);
            let tried = Instant::now();
            let held = self.attempt(following.as_deref_mut(), as_it_is, &mut hands).await;
            let who = match held {
                Ok(Attempt::Done(position)) => return Ok(position),
                Ok(Attempt::HeldUp(who)) => who,
                Err(RebuildError::Database(error))
                    if is_waiting(&error) || (is_gone(&error) && went < VIEWS_GO) =>
                {
                    went += i32::from(!is_waiting(&error));
                    // It may have been the one that catches up who was told so, in its transaction.
                    sqlx::raw_sql("ROLLBACK").execute(&mut *hands.filling).await?;
                    holders(hands.filling, &error).await?
                }
                Err(error) => {
                    let _ = sqlx::raw_sql("ROLLBACK").execute(&mut *hands.holding).await;
                    return Err(error);
                }
            };
            sqlx::raw_sql("ROLLBACK").execute(&mut *hands.holding).await?;
            (self.held_up)(Some(who.clone()));
            if begun.elapsed() > self.patience {
                return Err(RebuildError::HeldUp(who));
            }
            // The workers had to wait for that; they go on for as long at least.
            tokio::time::sleep(pause.max(tried.elapsed())).await;
            pause = (pause * 2).min(Duration::from_millis(800));
        }
    }

    async fn close_in(
        &self,
        following: &mut CatchUp,
        how: Transactions,
        connection: &mut PgConnection,
    ) -> Result<Transactions, RebuildError> {
        let how = (how, self.patience);
        following.close_in(Towards::Head, self.log, connection, how, &|_, _, _| ()).await
    }

    async fn attempt(
        &self,
        mut following: Option<&mut CatchUp>,
        as_it_is: &Reached,
        hands: &mut Hands<'_>,
    ) -> Result<Attempt, RebuildError> {
        let holding = &mut *hands.holding;
        let tables: Vec<String> =
            self.coming.names.iter().map(|name| format!("{LIVE}.{name}")).collect();
        // First what keeps readers and writers out of nothing: new partitions, and vacuum, which
        // leaves when somebody waits for a second.
        twin::run("BEGIN; SET LOCAL lock_timeout = '5s'", holding).await?;
        sqlx::query(
            "SELECT pg_advisory_xact_lock(hashtextextended('daybook.partitions.' || table_name, 0))
             FROM (SELECT table_name FROM projector.monthly_tables ORDER BY table_name) AS t",
        )
        .execute(&mut *holding)
        .await?;
        let all = tables.join(", ");
        twin::run(&format!("LOCK TABLE {all} IN SHARE UPDATE EXCLUSIVE MODE"), holding).await?;
        // While that was waited for the log went on; from here on workers wait.
        if let Some(following) = following.as_deref_mut() {
            self.close_in(following, Transactions::Own, hands.filling).await?;
        }
        crate::worker::ownership::prepare(holding).await?;
        twin::run(&stopped_for(STOPPED_BESIDE_WORKERS), holding).await?;
        sqlx::query(
            "SELECT lane FROM projector.lanes WHERE name = $1 ORDER BY version, lane FOR UPDATE",
        )
        .bind(NAME)
        .execute(&mut *holding)
        .await?;
        // The live tables stand still. (What is changed by hand is written down in its own transaction.)
        let reached = match following {
            Some(following) => {
                let (filling, own) = (&mut *hands.filling, Transactions::Own);
                following.pass(Towards::Head, self.log, filling, own, &|_, _| ()).await?;
                if let Some(who) = older_snapshots(holding, hands.filling).await? {
                    return Ok(Attempt::HeldUp(who));
                }
                following.reached.clone()
            }
            None => as_it_is.clone(),
        };
        // Views change with the tables; who reads one has it locked before what it reads. Policies look
        // from a table at those that it belongs to, so children come before their parents.
        let views = twin::views_of(&self.coming.names, holding).await?;
        let views = views.into_iter().rev().map(|(name, _)| name);
        lock(views.chain(tables.into_iter().rev()).collect(), holding).await?;
        twin::run("SET LOCAL statement_timeout = '30s'; SET LOCAL lock_timeout = '300ms'", holding)
            .await?;
        if let Some(by_hand) = &self.by_hand {
            by_hand.still_is(holding).await?;
        }
        drift::put_back(&self.coming.schema, holding).await?;
        let away = if self.coming.schema == BEFORE { NEXT } else { BEFORE };
        twin::change_places(&self.coming, away, holding).await?;
        self.move_checkpoints(&reached, holding).await?;
        // The schema that came is empty now; the other one keeps the name under which one goes back.
        twin::run(&format!("DROP SCHEMA {}", self.coming.schema), holding).await?;
        if away != BEFORE {
            twin::run(&format!("ALTER SCHEMA {away} RENAME TO {BEFORE}"), holding).await?;
        }
        let position = reached.values().map(|lane| lane.position).max().unwrap_or(0);
        self.say(position, holding).await?;
        twin::run("COMMIT", holding).await?;
        Ok(Attempt::Done(position))
    }

    /// The live checkpoints stay with the tables that go; those that come bring theirs.
    async fn move_checkpoints(
        &self,
        reached: &Reached,
        connection: &mut PgConnection,
    ) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM projector.set_checkpoints WHERE schema_name IN ($1, $2)")
            .bind(BEFORE)
            .bind(NEXT)
            .execute(&mut *connection)
            .await?;
        sqlx::query(
            "INSERT INTO projector.set_checkpoints (schema_name, build, lane, lane_seq, position)
             SELECT $3, 'live', lane, lane_seq, position FROM projector.checkpoints WHERE name = $1 AND version = $2",
        )
        .bind(NAME)
        .bind(VERSION)
        .bind(BEFORE)
        .execute(&mut *connection)
        .await?;
        for forget in [
            "DELETE FROM projector.moves WHERE name = $1",
            "DELETE FROM projector.parked WHERE name = $1",
            "DELETE FROM projector.waiting WHERE name = $1",
            "UPDATE projector.lanes SET epoch = epoch + 1, since = clock_timestamp() WHERE name = $1",
        ] {
            sqlx::query(forget).bind(NAME).execute(&mut *connection).await?;
        }
        let all = |of: fn(&Checkpoint) -> i64| reached.values().map(of).collect::<Vec<_>>();
        sqlx::query(
            "INSERT INTO projector.moves (name, version, lane, from_seq, lane_seq, position, epoch)
             SELECT l.name, l.version, l.lane, 0, r.lane_seq, r.position, l.epoch
             FROM unnest($3::smallint[], $4::bigint[], $5::bigint[]) AS r (lane, lane_seq, position)
             JOIN projector.lanes l ON l.name = $1 AND l.version = $2 AND l.lane = r.lane
             WHERE r.lane_seq > 0",
        )
        .bind(NAME)
        .bind(VERSION)
        .bind(reached.keys().copied().collect::<Vec<i16>>())
        .bind(all(|lane| lane.lane_seq))
        .bind(all(|lane| lane.position))
        .execute(&mut *connection)
        .await?;
        Ok(())
    }

    async fn say(&self, position: i64, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let (id, state) = self.said;
        sqlx::query(
            "UPDATE projector.rebuilds SET state = $2, position = $3, message = NULL, seconds_left = NULL,
                 ended_at = clock_timestamp(), updated_at = clock_timestamp()
             WHERE id = $1",
        )
        .bind(id)
        .bind(state)
        .bind(position)
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// Lets the server give everything back when this process says nothing for so long.
fn stopped_for(time: Duration) -> String {
    format!("SET LOCAL idle_in_transaction_session_timeout = '{}ms'", time.as_millis())
}

/// Locks the tables against everybody, one after the other. For the first it waits while it holds
/// none, and then nobody is in its way: who wants that table too waits before it. For the others it
/// waits a moment only, since who has one of them may want one that is locked here already. The one
/// that was not had comes first the next time.
async fn lock(mut order: Vec<String>, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    twin::run(&stopped_for(STOPPED_BEFORE_READERS), connection).await?;
    twin::run("SAVEPOINT nothing_locked", connection).await?;
    let begun = Instant::now();
    while let Err((at, error)) = lock_in(&order, connection).await {
        if begun.elapsed() >= TRIED || !is_waiting(&error) {
            return Err(error);
        }
        twin::run("ROLLBACK TO SAVEPOINT nothing_locked", connection).await?;
        order[..=at].rotate_right(1);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// Says which was not had, by its place in the order.
async fn lock_in(
    order: &[String],
    connection: &mut PgConnection,
) -> Result<(), (usize, sqlx::Error)> {
    let mut held_since = Instant::now();
    for (at, name) in order.iter().enumerate() {
        let (wait, left) = match at {
            0 => (FIRST, FIRST),
            _ => (OTHERS, ALL.saturating_sub(held_since.elapsed()).max(Duration::from_millis(1))),
        };
        let (wait, left) = (wait.as_millis(), left.as_millis());
        let lock = format!(
            "SET LOCAL lock_timeout = '{wait}ms'; SET LOCAL statement_timeout = '{left}ms';
             LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE"
        );
        twin::run(&lock, connection).await.map_err(|error| (at, error))?;
        if at == 0 {
            held_since = Instant::now();
        }
    }
    Ok(())
}

/// Whether the error says that a lock was not had in time.
fn is_waiting(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    matches!(code.as_deref(), Some("55P03" | "57014" | "40P01"))
}

/// Whether something that reads the tables was dropped while it was looked at.
fn is_gone(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| match error.code().as_deref() {
        // A view or its schema, by name.
        Some("42P01" | "3F000") => true,
        // The same by number: what it is made of is looked up by that.
        Some("XX000") => {
            let message = error.message();
            message.starts_with("could not open relation with OID")
                || message.starts_with("cache lookup failed")
        }
        _ => false,
    })
}

/// Waits a moment for every snapshot that is there now, and says who keeps one that stays.
async fn older_snapshots(
    holding: &mut PgConnection,
    filling: &mut PgConnection,
) -> Result<Option<String>, sqlx::Error> {
    let own: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut *holding).await?;
    let mut old: Vec<(i32, String, String)> = sqlx::query_as(include_str!("../sql/snapshots.sql"))
        .bind(own)
        .fetch_all(&mut *filling)
        .await?;
    let begun = Instant::now();
    while !old.is_empty() {
        if begun.elapsed() > SNAPSHOTS {
            let who: Vec<String> =
                old.iter().map(|(pid, _, user)| format!("{user} (process {pid})")).collect();
            return Ok(Some(format!(
                "transactions that began before the new tables were filled are still open: {}",
                who.join(", ")
            )));
        }
        tokio::time::sleep(Duration::from_millis(15)).await;
        let now: Vec<(i32, String, String)> = sqlx::query_as(include_str!("../sql/snapshots.sql"))
            .bind(own)
            .fetch_all(&mut *filling)
            .await?;
        old.retain(|seen| now.contains(seen));
    }
    Ok(None)
}

/// Who has locks on read tables.
async fn holders(
    connection: &mut PgConnection,
    error: &sqlx::Error,
) -> Result<String, sqlx::Error> {
    let who: Vec<String> = sqlx::query_scalar(AssertSqlSafe(
        "SELECT DISTINCT format('%s (process %s) on %s', a.usename, a.pid, c.relname)
         FROM pg_locks l
         JOIN pg_class c ON c.oid = l.relation AND c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
         JOIN pg_stat_activity a ON a.pid = l.pid
         WHERE l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND a.usesysid IS NOT NULL AND a.pid <> pg_backend_pid() AND l.mode = 'AccessShareLock'
         ORDER BY 1 LIMIT 10",
    ))
    .fetch_all(connection)
    .await?;
    Ok(match who.as_slice() {
        [] => format!("the tables were in use all the time ({error})"),
        who => format!("the tables are in use by {}", who.join(", ")),
    })
}
