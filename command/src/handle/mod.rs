//! How each aggregate's commands are decided: which streams they hold, what
//! they must know of others, and which other streams they write.

pub(crate) mod account;
pub(crate) mod aisp_account;
pub(crate) mod api_contract;
pub(crate) mod api_key;
pub(crate) mod asset;
pub(crate) mod billing_account;
pub(crate) mod collection;
pub(crate) mod comment;
pub(crate) mod governance_rule;
pub(crate) mod notification;
pub(crate) mod organization;
pub(crate) mod post;
pub(crate) mod resource;
pub(crate) mod role;
pub(crate) mod server;
pub(crate) mod session;
pub(crate) mod setting;
pub(crate) mod subscription;
pub(crate) mod ticket;
pub(crate) mod user;

use daybook_domain::access::{self, Owned, Whose};
use daybook_domain::aggregate::Aggregate;
use daybook_domain::context::Context;
use daybook_domain::message::{CommandMessage, EventMessage};
use daybook_store::{Appended, Metadata};
use uuid::Uuid;

use crate::engine::{Accepted, Attempt, Engine};
use crate::error::CommandError;
use crate::order::Order;
use crate::unit::{Basis, Unit};

/// One attempt at one order.
pub(crate) struct Work<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) order: &'a Order,
    pub(crate) context: &'a Context,
    pub(crate) metadata: &'a Metadata,
    /// What a decision that appends nothing rested on.
    pub(crate) basis: &'a mut Basis,
}

impl<'a> Work<'a> {
    /// Holds the order's stream, loaded, and others that the decision needs.
    async fn hold<A: Aggregate>(&self, others: &[Uuid]) -> Result<Unit<'a>, CommandError> {
        let stream = self.order.stream;
        let streams: Vec<Uuid> = others.iter().copied().chain([stream]).collect();
        let mut unit = Unit::hold(self.engine, &streams).await;
        unit.load::<A>(stream).await?;
        Ok(unit)
    }

    /// Refuses an owner that is the order's own stream: nothing is of two kinds.
    fn apart_from(&self, owner: Uuid) -> Result<(), CommandError> {
        self.apart("/user_id", owner)
    }

    /// Refuses a stream that the command names in `pointer` if it is the order's own.
    fn apart(&self, pointer: &str, named: Uuid) -> Result<(), CommandError> {
        if named != self.order.stream {
            return Ok(());
        }
        Err(CommandError::Invalid {
            pointer: pointer.into(),
            detail: format!("{named} cannot be both what the command is for and what it names"),
        })
    }

    /// Refuses streams, by the fields that name them, that are the order's own stream or one another:
    /// nothing is of two kinds.
    fn all_apart(&self, named: &[(&str, Option<Uuid>)]) -> Result<(), CommandError> {
        let mut taken = vec![self.order.stream];
        for (pointer, stream) in named.iter().filter_map(|(p, stream)| Some((p, (*stream)?))) {
            if taken.contains(&stream) {
                return Err(CommandError::Invalid {
                    pointer: (*pointer).to_owned(),
                    detail: format!("{stream} is named as two different things"),
                });
            }
            taken.push(stream);
        }
        Ok(())
    }

    /// Decides on the order's stream: refuses what the caller may not do, a version other than the
    /// one expected, and what the rules forbid.
    fn decide<A: Owned>(
        &self,
        unit: &Unit<'_>,
        command: &A::Command,
        facts: &A::Facts,
    ) -> Result<Vec<A::Event>, CommandError> {
        let state = unit.state::<A>(self.order.stream)?;
        self.check(unit, state, command)?;
        state
            .decide(command, facts, self.context)
            .map_err(|refusal| CommandError::refused(&refusal))
    }

    /// Refuses what the caller may not do, and a version other than the one expected.
    fn check<A: Owned>(
        &self,
        unit: &Unit<'_>,
        state: &A,
        command: &A::Command,
    ) -> Result<(), CommandError> {
        let actor = &self.order.caller.actor;
        let name = command.name();
        let stream = self.order.stream;
        let whose = Whose {
            own: state.is_owned_by(stream, command, actor.id),
            within: actor.tenant.is_some() && state.organization(stream, command) == actor.tenant,
        };
        if !access::may(actor, A::KIND, name, whose) {
            return Err(CommandError::not_allowed(actor, A::KIND, name));
        }
        if let Some(time) = self.order.occurred_at {
            if !access::may_say_when(actor) {
                return Err(CommandError::Forbidden(format!(
                    "role {} may not say when things happened; leave occurred_at out",
                    actor.role.as_str()
                )));
            }
            if time > self.context.now {
                return Err(CommandError::Invalid {
                    pointer: "/occurred_at".into(),
                    detail: format!("{time} lies in the future; it is {} now", self.context.now),
                });
            }
        }
        let actual = unit.version(self.order.stream);
        match self.order.if_match {
            Some(expected) if expected != actual => {
                Err(CommandError::VersionMismatch { expected, actual })
            }
            _ => Ok(()),
        }
    }

    /// Ends an attempt: refusals remember what they rested on, the rest is recorded.
    fn conclude<A: Aggregate>(
        &mut self,
        unit: Unit<'a>,
        decided: Result<Decided<A>, CommandError>,
    ) -> Result<Attempt, CommandError> {
        self.conclude_with(unit, decided, |unit, order, Decided { events, also }| {
            unit.record::<A>(order.stream, &events, order.occurred_at)?;
            also(unit, order)
        })
    }

    /// The same, but the order's own stream comes last: it is removed, after what others lose.
    fn conclude_last<A: Aggregate>(
        &mut self,
        unit: Unit<'a>,
        decided: Result<Decided<A>, CommandError>,
    ) -> Result<Attempt, CommandError> {
        self.conclude_with(unit, decided, |unit, order, Decided { events, also }| {
            also(unit, order)?;
            unit.record::<A>(order.stream, &events, order.occurred_at)
        })
    }

    fn conclude_with<A: Aggregate>(
        &mut self,
        mut unit: Unit<'a>,
        decided: Result<Decided<A>, CommandError>,
        record: impl FnOnce(&mut Unit<'_>, &Order, Decided<A>) -> Result<(), CommandError>,
    ) -> Result<Attempt, CommandError> {
        let decided = match decided {
            Ok(decided) => decided,
            Err(error) => {
                *self.basis = unit.basis();
                return Err(error);
            }
        };
        let stream = self.order.stream;
        if self.order.dry_run {
            *self.basis = unit.basis();
            return Ok(Attempt::Dry(self.dry(unit.version(stream), &decided)));
        }
        if let Err(error) = record(&mut unit, self.order, decided) {
            unit.abandon();
            return Err(error);
        }
        let types = unit.event_types();
        let settling = unit.submit(self.order.key, self.metadata.clone())?;
        Ok(Attempt::Submitted(settling, types))
    }

    fn dry<A: Aggregate>(&self, version: i64, decided: &Decided<A>) -> Accepted {
        let events = i64::try_from(decided.events.len()).unwrap_or(i64::MAX);
        Accepted {
            appended: Appended {
                stream_id: self.order.stream,
                version: version + events,
                created: version == 0,
                position: *self.engine.appender.head().borrow(),
                events,
                recorded_at: self.context.now,
                replayed: false,
            },
            event_types: decided.events.iter().map(|event| event.name().to_owned()).collect(),
            secrets: Vec::new(),
            dry_run: true,
        }
    }
}

/// One attempt at a command that rests on its own stream alone.
pub(crate) async fn plain<A: Owned>(
    work: &mut Work<'_>,
    command: &A::Command,
) -> Result<Attempt, CommandError> {
    let unit = work.hold::<A>(&[]).await?;
    let decided = work.decide::<A>(&unit, command, &A::Facts::default());
    work.conclude(unit, decided.map(Decided::<A>::alone))
}

/// What else a decision writes or guards.
type Also = Box<dyn FnOnce(&mut Unit<'_>, &Order) -> Result<(), CommandError> + Send>;

/// The events of the order's stream, and what goes with them.
struct Decided<A: Aggregate> {
    events: Vec<A::Event>,
    also: Also,
}

impl<A: Aggregate> Decided<A> {
    /// Events of the order's stream alone.
    fn alone(events: Vec<A::Event>) -> Self {
        Self { events, also: Box::new(|_, _| Ok(())) }
    }

    /// Events that were decided on another stream as it is now.
    fn guarding(events: Vec<A::Event>, read: Uuid) -> Self {
        Self::guarding_all(events, vec![read])
    }

    /// Events that were decided on several other streams as they are now.
    fn guarding_all(events: Vec<A::Event>, read: Vec<Uuid>) -> Self {
        let guard: Also = Box::new(move |unit, _| {
            for stream in read {
                unit.guard(stream);
            }
            Ok(())
        });
        Self { events, also: guard }
    }
}
