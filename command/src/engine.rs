//! The write side in one piece: takes a command, decides it, appends what was
//! decided, and says where it stands.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use daybook_domain::aggregate::Aggregate;
use daybook_domain::context::{Actor, Context};
use daybook_domain::identity::permission::Permission;
use daybook_domain::services::service::Service;
use daybook_http::Caller;
use daybook_store::{AppendError, Appended, Appender, CommandKey, Log, Metadata, Records};
use futures::FutureExt;
use futures::future::BoxFuture;
use uuid::Uuid;

use crate::cache::{Settling, StreamCache};
use crate::error::CommandError;
use crate::handle;
use crate::load::{self, Loaded};
use crate::order::{AnyCommand, Order};
use crate::refused::Asked;
use crate::sign_in::Turns;
use crate::unit::Basis;

/// How often a command is decided again because others were faster.
const ATTEMPTS: u32 = 32;

/// What the engine takes from the outside world.
#[derive(Clone)]
pub struct World {
    /// The clock, UTC.
    pub now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    /// Fresh UUIDv7s.
    pub fresh_id: Arc<dyn Fn() -> Uuid + Send + Sync>,
}

/// The write side. Cheap to share behind an `Arc`.
pub struct Engine {
    pub(crate) log: Log,
    pub(crate) appender: Appender,
    pub(crate) cache: StreamCache,
    pub(crate) world: World,
    pub(crate) records: Option<Records>,
    in_flight: Mutex<HashSet<(Uuid, Uuid)>>,
    pub(crate) turns: Turns,
}

/// An accepted command.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// Where it stands in the log.
    pub appended: Appended,
    /// The types of its events, in order.
    pub event_types: Vec<String>,
    /// What is shown once and kept nowhere, by name (such as `secret`). Empty
    /// when an answer is given again.
    pub secrets: Vec<(&'static str, String)>,
    /// Whether this was a dry run: nothing was appended.
    pub dry_run: bool,
}

/// What one attempt at a command came to.
pub(crate) enum Attempt {
    /// Handed over to the appender.
    Submitted(Settling, Vec<String>),
    /// Decided only.
    Dry(Accepted),
}

impl Engine {
    /// The write side over a log. `cached_streams` bounds the states kept in memory.
    #[must_use]
    pub fn new(log: Log, appender: Appender, world: World, cached_streams: usize) -> Self {
        Self {
            log,
            appender,
            cache: StreamCache::new(cached_streams),
            world,
            records: None,
            in_flight: Mutex::default(),
            turns: Turns::default(),
        }
    }

    /// Has refusals and attempts to sign in written down.
    #[must_use]
    pub fn with_records(self, records: Records) -> Self {
        Self { records: Some(records), ..self }
    }

    /// Waits, for so long at most, until what was to be written down is.
    pub async fn flush_records(&self, within: Duration) {
        if let Some(records) = &self.records {
            records.flush(within).await;
        }
    }

    /// The log that this engine reads.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The appender that this engine writes with.
    #[must_use]
    pub fn appender(&self) -> &Appender {
        &self.appender
    }

    /// A fresh UUIDv7.
    #[must_use]
    pub fn fresh_id(&self) -> Uuid {
        (self.world.fresh_id)()
    }

    /// Decides and appends one command; done when it is durable.
    ///
    /// # Errors
    /// Why it was not accepted.
    pub async fn submit(&self, order: Order) -> Result<Accepted, CommandError> {
        let outcome = self.take(&order).await;
        if let Err(error) = &outcome
            && !order.dry_run
        {
            let asked = Asked {
                caller: &order.caller,
                kind: &order.kind,
                name: &order.name,
                stream: Some(order.stream),
                command_id: Some(order.key.id),
            };
            self.note_refusal(&asked, error);
        }
        outcome
    }

    async fn take(&self, order: &Order) -> Result<Accepted, CommandError> {
        let _mine = self.claim_id(order)?;
        if order.sent_before
            && let Some(first) = self.first_answer(&order.key).await?
        {
            return Ok(first);
        }
        let outcome = self.decide_and_append(order).await;
        let refused = matches!(&outcome, Err(error) if error.rests_on_state());
        if refused && !order.dry_run {
            // The first answer stands, whatever has changed since it was given.
            if let Some(first) = self.first_answer(&order.key).await? {
                return Ok(first);
            }
        }
        outcome
    }

    async fn decide_and_append(&self, order: &Order) -> Result<Accepted, CommandError> {
        let context = self.context(order);
        let metadata = metadata(&order.caller, order.causation_id);
        let mut attempt = 0;
        // The versions of streams in the log, as they were at some moment since the order came.
        let mut known = HashMap::new();
        loop {
            attempt += 1;
            order.predecessors.before_attempt(attempt).await;
            let mut basis = Basis::default();
            let tried = self.attempt(order, &context, &metadata, &mut basis).await;
            let error = match tried {
                Ok(Attempt::Dry(accepted)) => {
                    if self.is_current(&basis.seen, &mut known).await? || attempt >= ATTEMPTS {
                        return Ok(accepted);
                    }
                    continue;
                }
                Ok(Attempt::Submitted(settling, types)) => {
                    order.announce_enqueued();
                    match settling.await {
                        Ok(appended) => return self.accepted(order, appended, types).await,
                        Err(error) => CommandError::from(error),
                    }
                }
                Err(error) if error.rests_on_state() => {
                    let rested_on_others = order.predecessors.pending();
                    let mut failed = false;
                    for settling in basis.unsettled {
                        failed |= settling.await.is_err();
                    }
                    let stands = !failed
                        && !rested_on_others
                        && self.is_current(&basis.seen, &mut known).await?;
                    if stands || attempt >= ATTEMPTS {
                        return Err(error);
                    }
                    continue;
                }
                Err(error) => error,
            };
            let held = matches!(&error, CommandError::Append(AppendError::Held { .. }));
            let again =
                error.moved_on() || (held && order.command.decides_again_when_held(attempt));
            if !again || attempt >= ATTEMPTS {
                return Err(error);
            }
            metrics::counter!("daybook_command_retries_total").increment(1);
            if attempt > 4 {
                tokio::time::sleep(Duration::from_millis(u64::from(attempt))).await;
            }
        }
    }

    /// Whether what was seen of streams is no older than the order. Other processes append too, and
    /// nothing tells this one's cache: what is behind is forgotten here, so that the next attempt
    /// reads the log. `known` makes that one look at the log an order and stream.
    async fn is_current(
        &self,
        seen: &[(Uuid, i64)],
        known: &mut HashMap<Uuid, i64>,
    ) -> Result<bool, CommandError> {
        let mut current = true;
        for (stream, version) in seen {
            let in_log = match known.get(stream) {
                Some(version) => *version,
                None => {
                    let head = self.log.stream_head(*stream).await?;
                    let version = head.map_or(0, |head| head.version);
                    known.insert(*stream, version);
                    version
                }
            };
            if *version < in_log {
                current = false;
                let slot = self.cache.slot(*stream);
                let mut slot = slot.lock().await;
                if slot.version() < in_log {
                    slot.forget();
                }
            }
        }
        Ok(current)
    }

    async fn attempt(
        &self,
        order: &Order,
        context: &Context,
        metadata: &Metadata,
        basis: &mut Basis,
    ) -> Result<Attempt, CommandError> {
        let mut work = handle::Work { engine: self, order, context, metadata, basis };
        // Boxed, each for itself: one future that could be any of them would be as large as the
        // largest, moved about with every command, and compiled anew wherever it is used.
        let attempt: BoxFuture<'_, Result<Attempt, CommandError>> = match &order.command {
            AnyCommand::User(command) => handle::user::attempt(&mut work, command).boxed(),
            AnyCommand::Permission(command) => {
                handle::plain::<Permission>(&mut work, command).boxed()
            }
            AnyCommand::Role(command) => handle::role::attempt(&mut work, command).boxed(),
            AnyCommand::Session(command) => handle::session::attempt(&mut work, command).boxed(),
            AnyCommand::ApiKey(command) => handle::api_key::attempt(&mut work, command).boxed(),
            AnyCommand::Organization(command) => {
                handle::organization::attempt(&mut work, command).boxed()
            }
            AnyCommand::BillingAccount(command) => {
                handle::billing_account::attempt(&mut work, command).boxed()
            }
            AnyCommand::Resource(command) => handle::resource::attempt(&mut work, command).boxed(),
            AnyCommand::Post(command) => handle::post::attempt(&mut work, command).boxed(),
            AnyCommand::Comment(command) => handle::comment::attempt(&mut work, command).boxed(),
            AnyCommand::Service(command) => handle::plain::<Service>(&mut work, command).boxed(),
            AnyCommand::Subscription(command) => {
                handle::subscription::attempt(&mut work, command).boxed()
            }
            AnyCommand::Account(command) => handle::account::attempt(&mut work, command).boxed(),
            AnyCommand::AispAccount(command) => {
                handle::aisp_account::attempt(&mut work, command).boxed()
            }
            AnyCommand::Collection(command) => {
                handle::collection::attempt(&mut work, command).boxed()
            }
            AnyCommand::Ticket(command) => handle::ticket::attempt(&mut work, command).boxed(),
            AnyCommand::Asset(command) => handle::asset::attempt(&mut work, command).boxed(),
            AnyCommand::Server(command) => handle::server::attempt(&mut work, command).boxed(),
            AnyCommand::ApiContract(command) => {
                handle::api_contract::attempt(&mut work, command).boxed()
            }
            AnyCommand::GovernanceRule(command) => {
                handle::governance_rule::attempt(&mut work, command).boxed()
            }
            AnyCommand::Setting(command) => handle::setting::attempt(&mut work, command).boxed(),
            AnyCommand::Notification(command) => {
                handle::notification::attempt(&mut work, command).boxed()
            }
        };
        attempt.await
    }

    async fn accepted(
        &self,
        order: &Order,
        appended: Appended,
        event_types: Vec<String>,
    ) -> Result<Accepted, CommandError> {
        if appended.replayed {
            return self.answer_again(appended).await;
        }
        // What nothing was made of is of no use to anybody.
        let secrets = if appended.events > 0 { order.secrets.clone() } else { Vec::new() };
        Ok(Accepted { appended, event_types, secrets, dry_run: false })
    }

    /// The answer that was given to this command id before, if there was one.
    async fn first_answer(&self, key: &CommandKey) -> Result<Option<Accepted>, CommandError> {
        match self.log.command(key.scope, key.id).await? {
            None => Ok(None),
            Some(found) if found.fingerprint != key.fingerprint => {
                Err(AppendError::CommandReused { id: key.id }.into())
            }
            Some(found) => self.answer_again(found.appended).await.map(Some),
        }
    }

    async fn answer_again(&self, appended: Appended) -> Result<Accepted, CommandError> {
        let first = appended.position - appended.events;
        let mut event_types = Vec::new();
        if appended.events > 0 {
            let filter = daybook_store::Filter {
                up_to_position: Some(appended.position),
                ..daybook_store::Filter::default()
            };
            let page = self.log.page(first, &filter, appended.events).await?;
            event_types = page.events.into_iter().map(|event| event.event_type).collect();
        }
        Ok(Accepted { appended, event_types, secrets: Vec::new(), dry_run: false })
    }

    fn context(&self, order: &Order) -> Context {
        Context {
            actor: order.caller.actor.clone(),
            now: self.now(),
            occurred_at: order.occurred_at,
            seed: order.seed,
        }
    }

    /// The time, to the microsecond, which is what the log keeps.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.world.now)().trunc_subsecs(6)
    }

    /// Saves a state, so that the next load is short. On a task of its own: nobody
    /// waits for it, and a failure costs nothing but time.
    pub(crate) fn save_snapshot<A: Aggregate>(&self, stream: Uuid, loaded: &Loaded<A>) {
        let Ok(state) = serde_json::to_string(&loaded.state) else { return };
        let (appender, version) = (self.appender.clone(), loaded.version);
        tokio::spawn(async move {
            if let Err(error) =
                appender.save_snapshot(stream, version, &load::shape::<A>(), &state).await
            {
                tracing::warn!(%stream, %error, "a snapshot was not saved");
            }
        });
    }

    fn claim_id(&self, order: &Order) -> Result<InFlight<'_>, CommandError> {
        let id = (order.key.scope, order.key.id);
        let mut in_flight = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        if !in_flight.insert(id) {
            return Err(CommandError::InProgress(order.key.id));
        }
        Ok(InFlight { engine: self, id })
    }
}

/// A command id being worked on; free again when this is dropped.
struct InFlight<'e> {
    engine: &'e Engine,
    id: (Uuid, Uuid),
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let mut ids = self.engine.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        ids.remove(&self.id);
    }
}

fn metadata(caller: &Caller, causation_id: Option<Uuid>) -> Metadata {
    let Actor { id, tenant, .. } = &caller.actor;
    Metadata {
        actor_id: *id,
        tenant_id: *tenant,
        correlation_id: caller.correlation_id,
        causation_id,
        session_id: caller.session_id,
        ip_address: caller.ip_address,
        user_agent: caller.user_agent.clone(),
        traceparent: caller.traceparent.clone(),
    }
}
