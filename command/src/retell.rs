//! What another log recorded, told to this one: the same commands with the same ids, the same events
//! with the same data, in the same order as far as one rests on another. Nothing is decided anew; what each event takes, gives back,
//! refers to and holds follows from it as when it was decided, so that this log keeps the same rules
//! from then on.

use daybook_domain::aggregate::Aggregate;
use daybook_domain::banking::account::Account;
use daybook_domain::content::{comment::Comment, post::Post};
use daybook_domain::contracts::api_contract::ApiContract;
use daybook_domain::contracts::governance_rule::GovernanceRule;
use daybook_domain::contracts::rulebook::Rulebook;
use daybook_domain::datacentre::{server::Server, usage::Usage};
use daybook_domain::identity::admins::Admins;
use daybook_domain::identity::api_key::ApiKey;
use daybook_domain::identity::permission::Permission;
use daybook_domain::identity::role::Role;
use daybook_domain::identity::session::Session;
use daybook_domain::identity::user::User;
use daybook_domain::message::EventMessage;
use daybook_domain::open_banking::aisp_account::AispAccount;
use daybook_domain::organizations::billing_account::BillingAccount;
use daybook_domain::organizations::organization::Organization;
use daybook_domain::organizations::resource::Resource;
use daybook_domain::platform::{notification::Notification, setting::Setting};
use daybook_domain::recycling::collection::Collection;
use daybook_domain::services::{service::Service, subscription::Subscription};
use daybook_domain::support::{asset::Asset, ticket::Ticket};
use daybook_store::{AppendError, CommandKey, Recorded};
use uuid::Uuid;

use crate::cache::Settling;
use crate::engine::Engine;
use crate::error::CommandError;
use crate::unit::Unit;

/// A command that another log applied.
#[derive(Debug, Clone)]
pub struct Told {
    /// Its identity, as its log has it.
    pub key: CommandKey,
    /// All of its events, by position.
    pub events: Vec<Recorded>,
    /// Its log keeps no answer of it any more: the fingerprint is made up, and whether it is here already
    /// is seen by its events.
    pub forgotten: bool,
}

/// Why a command could not be told. Commands told before it stay, as do those beside it that do not
/// rest on it; each whole.
#[derive(Debug, thiserror::Error)]
pub enum RetellError {
    /// The stream does not go on here where the event does.
    #[error(
        "the event at position {position} is version {version} of stream {stream}, which is at version {here} in the other log: what comes between was left out, or the other log has a history of its own"
    )]
    Elsewhere {
        /// The event's position in its own log.
        position: i64,
        /// Its stream.
        stream: Uuid,
        /// Its version.
        version: i64,
        /// The stream's version here.
        here: i64,
    },
    /// Another command has that id here.
    #[error(
        "the other log has another command {id} (position {position} here): it has a history of its own"
    )]
    Reused {
        /// The command.
        id: Uuid,
        /// The position of its first event in its own log.
        position: i64,
    },
    /// An event of a type that this build does not know.
    #[error("position {position}: there is no event type {event_type} here")]
    Unknown {
        /// The event's position in its own log.
        position: i64,
        /// Its type.
        event_type: String,
    },
    /// Why the log did not take it.
    #[error("position {position}: {error}")]
    Refused {
        /// The position of the command's first event in its own log.
        position: i64,
        /// What was said.
        error: CommandError,
    },
}

impl Engine {
    /// Appends what was told and is not here yet, in this order; done when all of it is durable. Gives
    /// the number of commands appended.
    ///
    /// # Errors
    /// See [`RetellError`].
    pub async fn retell(&self, told: &[Told]) -> Result<usize, RetellError> {
        let keys: Vec<(Uuid, Uuid)> =
            told.iter().map(|told| (told.key.scope, told.key.id)).collect();
        let first = told.first().map_or(0, Told::position);
        let known = self
            .log
            .commands(&keys)
            .await
            .map_err(|error| RetellError::Refused { position: first, error: error.into() })?;
        let mut settling: Vec<(i64, Settling)> = Vec::with_capacity(told.len());
        let mut count = 0;
        for told in told {
            match known.get(&(told.key.scope, told.key.id)) {
                Some(answered) if answered.fingerprint == told.key.fingerprint => continue,
                Some(_) if !told.forgotten => {
                    let (id, position) = (told.key.id, told.position());
                    return Err(RetellError::Reused { id, position });
                }
                Some(_) | None => {}
            }
            if told.forgotten && self.has(told).await? {
                continue;
            }
            let sent = loop {
                match self.send(told).await {
                    Ok(Some(sent)) => break sent,
                    // The queue is full.
                    Ok(None) if settling.is_empty() => {
                        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                    }
                    Err(error) if settling.is_empty() => return Err(error),
                    // It is full of what was sent before; or this rests on what failed of it, or is
                    // not yet in the log.
                    Ok(None) | Err(_) => {
                        for (position, settling) in settling.drain(..) {
                            settled(position, settling).await?;
                        }
                    }
                }
            };
            settling.push((told.position(), sent));
            count += 1;
        }
        for (position, settling) in settling {
            settled(position, settling).await?;
        }
        Ok(count)
    }

    /// Whether the first of its events is here, made by the same command.
    async fn has(&self, told: &Told) -> Result<bool, RetellError> {
        let Some(first) = told.events.first() else { return Ok(false) };
        let here = self.log.stream(first.stream_id, first.version - 1, Some(first.version)).await;
        let here = here.map_err(|error| RetellError::Refused {
            position: first.position,
            error: error.into(),
        })?;
        Ok(here.first().is_some_and(|event| event.command_id == first.command_id))
    }

    /// Hands one command over to the appender; `None`: its queue is full.
    async fn send(&self, told: &Told) -> Result<Option<Settling>, RetellError> {
        let refused = |error| RetellError::Refused { position: told.position(), error };
        let Some(first) = told.events.first() else {
            return Err(refused(CommandError::Fault("a command without events".to_owned())));
        };
        let streams: Vec<Uuid> = told.events.iter().map(|event| event.stream_id).collect();
        let mut unit = Unit::hold(self, &streams).await;
        for events in told.events.chunk_by(|one, next| one.stream_id == next.stream_id) {
            if let Err(error) = record(&mut unit, events).await {
                unit.abandon();
                return Err(error);
            }
        }
        match unit.submit(told.key, first.metadata.clone()) {
            Ok(settling) => Ok(Some(settling)),
            Err(CommandError::Append(AppendError::Overloaded)) => Ok(None),
            Err(error) => Err(refused(error)),
        }
    }
}

impl Told {
    fn position(&self) -> i64 {
        self.events.first().map_or(0, |event| event.position)
    }
}

async fn settled(position: i64, settling: Settling) -> Result<(), RetellError> {
    match settling.await {
        Ok(_) => Ok(()),
        Err(error) => Err(RetellError::Refused { position, error: error.into() }),
    }
}

/// Writes down events of one stream.
async fn record(unit: &mut Unit<'_>, events: &[Recorded]) -> Result<(), RetellError> {
    let Some(first) = events.first() else { return Ok(()) };
    macro_rules! of_kinds {
        ($($aggregate:ty),* $(,)?) => {
            match first.kind() {
                $(<$aggregate as Aggregate>::KIND => of::<$aggregate>(unit, events).await,)*
                _ => Err(RetellError::Unknown {
                    position: first.position,
                    event_type: first.event_type.clone(),
                }),
            }
        };
    }
    of_kinds!(
        User,
        Admins,
        ApiKey,
        Permission,
        Session,
        Role,
        Organization,
        BillingAccount,
        Resource,
        Post,
        Comment,
        Service,
        Subscription,
        Account,
        AispAccount,
        Collection,
        Ticket,
        Asset,
        Server,
        Usage,
        ApiContract,
        GovernanceRule,
        Rulebook,
        Setting,
        Notification,
    )
}

async fn of<A: Aggregate>(unit: &mut Unit<'_>, events: &[Recorded]) -> Result<(), RetellError> {
    let Some(first) = events.first() else { return Ok(()) };
    let refused = |error| RetellError::Refused { position: first.position, error };
    let stream = first.stream_id;
    unit.load::<A>(stream).await.map_err(refused)?;
    let here = unit.version(stream);
    if here + 1 != first.version {
        let (position, version) = (first.position, first.version);
        return Err(RetellError::Elsewhere { position, stream, version, here });
    }
    let decoded: Result<Vec<A::Event>, _> = events
        .iter()
        .map(|event| {
            A::Event::decode(&event.event_type, event.schema_version, event.data.get()).map_err(
                |error| RetellError::Refused { position: event.position, error: error.into() },
            )
        })
        .collect();
    unit.record::<A>(stream, &decoded?, None).map_err(refused)?;
    unit.keep_as_stored(events);
    Ok(())
}
