//! Commands of subscriptions. Some rest on the service being active, and beginning one on the
//! subscriber being active.

use daybook_domain::identity::user::User;
use daybook_domain::services::service::Service;
use daybook_domain::services::subscription::{
    Subscription, SubscriptionCommand, SubscriptionFacts,
};

use super::{Decided, Work};
use crate::engine::Attempt;
use crate::error::CommandError;

/// One attempt at a command of a subscription.
pub(crate) async fn attempt(
    work: &mut Work<'_>,
    command: &SubscriptionCommand,
) -> Result<Attempt, CommandError> {
    let mut unit = work.hold::<Subscription>(&[]).await?;
    let Some(reads) = unit.state::<Subscription>(work.order.stream)?.reads(command) else {
        let decided = work.decide::<Subscription>(&unit, command, &SubscriptionFacts::default());
        return work.conclude(unit, decided.map(Decided::<Subscription>::alone));
    };
    let service = reads.service_id;
    let read: Vec<_> = reads.user_id.into_iter().chain([service]).collect();
    work.all_apart(&[("/user_id", reads.user_id), ("/service_id", Some(service))])?;
    // Streams are locked in one order only, so all are taken anew. Which service it is never changes.
    drop(unit);
    unit = work.hold::<Subscription>(&read).await?;
    let subscriber = match reads.user_id {
        Some(user) => Some(unit.load::<User>(user).await?.clone()),
        None => None,
    };
    let service = Some(unit.load::<Service>(service).await?.clone());
    let decided =
        work.decide::<Subscription>(&unit, command, &SubscriptionFacts { subscriber, service });
    work.conclude(unit, decided.map(|events| Decided::<Subscription>::guarding_all(events, read)))
}
