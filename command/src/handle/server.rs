//! Commands of servers. Samples are divided by the weeks that they are of: each week's stream is
//! written in the one append, on the server as it is.

use daybook_domain::aggregate::Aggregate as _;
use daybook_domain::datacentre::server::{
    Server, ServerCommand, ServerFacts, commands::RecordUsage,
};
use daybook_domain::datacentre::usage::{self, Usage, UsageCommand};
use daybook_domain::identity::user::User;
use uuid::Uuid;

use super::{Decided, Work};
use crate::engine::Attempt;
use crate::error::CommandError;

/// One attempt at a command of a server.
pub(crate) async fn attempt(
    work: &mut Work<'_>,
    command: &ServerCommand,
) -> Result<Attempt, CommandError> {
    if let ServerCommand::RecordUsage(delivery) = command {
        return record_usage(work, command, delivery).await;
    }
    // Which user it reads follows from the command alone.
    let Some(customer) = Server::default().reads(command) else {
        return super::plain::<Server>(work, command).await;
    };
    if customer == work.order.stream {
        return Err(CommandError::Invalid {
            pointer: "/customer_id".into(),
            detail: format!("{customer} cannot be both the server and its customer"),
        });
    }
    let mut unit = work.hold::<Server>(&[customer]).await?;
    let facts = ServerFacts { customer: Some(unit.load::<User>(customer).await?.clone()) };
    let decided = work.decide::<Server>(&unit, command, &facts);
    work.conclude(unit, decided.map(|events| Decided::<Server>::guarding(events, customer)))
}

async fn record_usage(
    work: &mut Work<'_>,
    command: &ServerCommand,
    delivery: &RecordUsage,
) -> Result<Attempt, CommandError> {
    let server = work.order.stream;
    let unit = work.hold::<Server>(&[]).await?;
    // Whether it may be taken at all, before any week is loaded.
    if let Err(refused) = work.decide::<Server>(&unit, command, &ServerFacts::default()) {
        return work.conclude::<Server>(unit, Err(refused));
    }
    // Streams are locked in one order only, so all are taken anew.
    drop(unit);
    let weeks = usage::by_week(server, &delivery.samples);
    let streams: Vec<Uuid> = weeks.keys().copied().collect();
    let mut unit = work.hold::<Server>(&streams).await?;
    for week in &streams {
        unit.load::<Usage>(*week).await?;
    }
    let mut decided = work.decide::<Server>(&unit, command, &ServerFacts::default());
    let mut taken = Vec::with_capacity(weeks.len());
    if decided.is_ok() {
        for (week, record) in weeks {
            let state = unit.state::<Usage>(week)?;
            match state.decide(&UsageCommand::Record(record), &(), work.context) {
                Ok(events) if events.is_empty() => {}
                Ok(events) => taken.push((week, events)),
                Err(refusal) => {
                    decided = Err(CommandError::refused(&refusal));
                    break;
                }
            }
        }
    }
    let decided = decided.map(|events| Decided::<Server> {
        events,
        also: Box::new(move |unit, order| {
            taken.iter().try_for_each(|(week, events)| {
                unit.record::<Usage>(*week, events, order.occurred_at)
            })
        }),
    });
    work.conclude(unit, decided)
}
