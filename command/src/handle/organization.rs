//! Commands of organizations. New members rest on being active; a deletion takes along what the
//! organization has, and a restoration brings it back, each in one append.

use daybook_domain::aggregate::Aggregate;
use daybook_domain::identity::user::User;
use daybook_domain::organizations::organization::{
    MAX_TOGETHER, Organization, OrganizationCommand, OrganizationFacts,
};
use daybook_domain::organizations::resource::{self, Resource, ResourceEvent};
use daybook_store::Known;

use super::{Decided, Work};
use crate::engine::Attempt;
use crate::error::CommandError;

/// One attempt at a command of an organization.
pub(crate) async fn attempt(
    work: &mut Work<'_>,
    command: &OrganizationCommand,
) -> Result<Attempt, CommandError> {
    match command {
        OrganizationCommand::Delete(_) => delete(work, command).await,
        OrganizationCommand::Restore(_) => restore(work, command).await,
        OrganizationCommand::Create(_)
        | OrganizationCommand::Rename(_)
        | OrganizationCommand::ChangePlan(_)
        | OrganizationCommand::AddMember(_)
        | OrganizationCommand::ChangeMemberRole(_)
        | OrganizationCommand::RemoveMember(_) => with_member(work, command).await,
    }
}

async fn with_member(
    work: &mut Work<'_>,
    command: &OrganizationCommand,
) -> Result<Attempt, CommandError> {
    let (stream, actor) = (work.order.stream, work.order.caller.actor.id);
    let unit = work.hold::<Organization>(&[]).await?;
    let Some(member) = unit.state::<Organization>(stream)?.reads(command, actor) else {
        let decided = work.decide::<Organization>(&unit, command, &OrganizationFacts::default());
        return work.conclude(unit, decided.map(Decided::<Organization>::alone));
    };
    work.apart_from(member)?;
    // Streams are locked in one order only, so both are taken anew.
    drop(unit);
    let mut unit = work.hold::<Organization>(&[member]).await?;
    let user = unit.load::<User>(member).await?.clone();
    let facts = OrganizationFacts { member: Some(user), ..OrganizationFacts::default() };
    let decided = work.decide::<Organization>(&unit, command, &facts);
    work.conclude(unit, decided.map(|events| Decided::<Organization>::guarding(events, member)))
}

/// What holds the organization goes with it, on the version that it has now. Whatever comes to hold
/// it in between is found by the next attempt.
async fn delete(
    work: &mut Work<'_>,
    command: &OrganizationCommand,
) -> Result<Attempt, CommandError> {
    let stream = work.order.stream;
    let unit = work.hold::<Organization>(&[]).await?;
    // Nobody has the holders looked for who may not delete.
    if let Err(refused) = work.check(&unit, unit.state::<Organization>(stream)?, command) {
        return work.conclude::<Organization>(unit, Err(refused));
    }
    // One more than may go, so that the decision sees that there are too many.
    let limit = i64::try_from(MAX_TOGETHER + 1).unwrap_or(i64::MAX);
    let holders = work.engine.log.holders_known(stream, limit).await?;
    let resources = of_kind::<Resource>(&holders);
    // Here join the open sessions of the organization, which hold it as well: of their kind among
    // the holders, counted in the facts, and closed below, one event each.
    let sessions = 0;
    let facts = OrganizationFacts {
        resources: resources.iter().map(|resource| resource.stream_id).collect(),
        sessions,
        ..OrganizationFacts::default()
    };
    let decided = work.decide::<Organization>(&unit, command, &facts);
    let decided = decided.map(|events| along(events, resources, resource::deleted_with(stream)));
    work.conclude(unit, decided)
}

/// What went with the organization comes back with it. Nothing could have happened to it since:
/// what its closed organization holds cannot be opened alone.
async fn restore(
    work: &mut Work<'_>,
    command: &OrganizationCommand,
) -> Result<Attempt, CommandError> {
    let stream = work.order.stream;
    let unit = work.hold::<Organization>(&[]).await?;
    let body = unit.state::<Organization>(stream)?.body();
    let gone = body.and_then(|body| body.went_with_it.as_deref()).unwrap_or_default();
    let resources = work.engine.log.streams_known(gone).await?;
    let decided = work.decide::<Organization>(&unit, command, &OrganizationFacts::default());
    let decided = decided.map(|events| along(events, resources, resource::restored_with(stream)));
    work.conclude(unit, decided)
}

fn of_kind<A: Aggregate>(holders: &[Known]) -> Vec<Known> {
    holders.iter().filter(|holder| holder.kind == A::KIND).cloned().collect()
}

/// The organization's events, and what happens to each of its resources with them; nothing where
/// the organization itself has none.
fn along(
    events: Vec<<Organization as Aggregate>::Event>,
    resources: Vec<Known>,
    event: ResourceEvent,
) -> Decided<Organization> {
    let happens = !events.is_empty();
    Decided {
        events,
        also: Box::new(move |unit, order| {
            for resource in resources.iter().filter(|_| happens) {
                let (id, version) = (resource.stream_id, resource.version);
                unit.record_unseen::<Resource>(id, version, &event, order.occurred_at)?;
            }
            Ok(())
        }),
    }
}
