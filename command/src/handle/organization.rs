//! Commands of organizations. New members rest on being active; a deletion takes along what the
//! organization has, and a restoration brings it back, each in one append. An organization holds its
//! owners while it is not deleted: one that was deleted in between is not restored without them.

use daybook_domain::aggregate::Aggregate;
use daybook_domain::identity::session::{Session, SessionEvent};
use daybook_domain::identity::user::User;
use daybook_domain::organizations::organization::{
    MAX_TOGETHER, Organization, OrganizationCommand, OrganizationFacts,
};
use daybook_domain::organizations::resource::{self, Resource, ResourceEvent};
use daybook_store::{AppendError, Known};
use uuid::Uuid;

use super::{Also, Decided, Work, session};
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
    let sessions = of_kind::<Session>(&holders);
    let facts = OrganizationFacts {
        resources: resources.iter().map(|resource| resource.stream_id).collect(),
        sessions: u32::try_from(sessions.len()).unwrap_or(u32::MAX),
        ..OrganizationFacts::default()
    };
    let decided = work.decide::<Organization>(&unit, command, &facts);
    let mut closes = Vec::new();
    if decided.as_ref().is_ok_and(|events| !events.is_empty()) {
        let reason = "its organization was deleted".parse().ok();
        closes = session::closing(work.engine, &sessions, reason).await?;
        if closes.len() < sessions.len() {
            // Some ended while they were read: what the event says of them would not be so.
            return Err(AppendError::Moved.into());
        }
    }
    let along = along(resources, resource::deleted_with(stream), closes);
    work.conclude(unit, decided.map(|events| Decided::<Organization> { events, also: along }))
}

/// What went with the organization comes back with it. Nothing could have happened to it since:
/// what its closed organization holds cannot be opened alone.
async fn restore(
    work: &mut Work<'_>,
    command: &OrganizationCommand,
) -> Result<Attempt, CommandError> {
    let stream = work.order.stream;
    let unit = work.hold::<Organization>(&[]).await?;
    let organization = unit.state::<Organization>(stream)?;
    let owners: Vec<Uuid> = organization.owners().collect();
    let body = organization.body();
    let gone = body.and_then(|body| body.went_with_it.as_deref()).unwrap_or_default();
    let resources = work.engine.log.streams_known(gone).await?;
    let owners_gone = work.engine.log.closed_among(&owners).await?;
    let facts = OrganizationFacts { owners_gone, ..OrganizationFacts::default() };
    let decided = work.decide::<Organization>(&unit, command, &facts);
    let along = along(resources, resource::restored_with(stream), Vec::new());
    work.conclude(unit, decided.map(|events| Decided::<Organization> { events, also: along }))
}

fn of_kind<A: Aggregate>(holders: &[Known]) -> Vec<Known> {
    holders.iter().filter(|holder| holder.kind == A::KIND).cloned().collect()
}

/// What happens to each of these resources, and to each of these sessions, in the same append.
fn along(
    resources: Vec<Known>,
    event: ResourceEvent,
    sessions: Vec<(Uuid, i64, SessionEvent)>,
) -> Also {
    Box::new(move |unit, order| {
        for resource in resources {
            let (id, version) = (resource.stream_id, resource.version);
            unit.record_unseen::<Resource>(id, version, &event, order.occurred_at)?;
        }
        for (id, version, event) in sessions {
            unit.record_unseen::<Session>(id, version, &event, order.occurred_at)?;
        }
        Ok(())
    })
}
