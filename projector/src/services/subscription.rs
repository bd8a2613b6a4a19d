//! `service_subscriptions`: who has what, and who had it.

use chrono::{DateTime, Utc};
use daybook_domain::services::subscription::SubscriptionEvent;
use daybook_domain::values::{JsonObject, SubscriptionStatus};
use daybook_store::Recorded;
use uuid::Uuid;

use crate::catalog::{Rows, Touched};
use crate::rows::Fault;
use crate::table::JsonText;

crate::table! {
    /// A row of `service_subscriptions`.
    pub struct SubscriptionRow in "service_subscriptions", key (id: Uuid), entity id;
    id: Uuid,
    user_id: Uuid,
    service_id: Uuid,
    plan: String,
    status: String,
    started_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    cancelled_reason: Option<String>,
    configuration: Option<JsonText> as "jsonb",
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: Uuid,
    updated_by: Uuid,
}

/// The rows of an event.
pub fn touches(event: &SubscriptionEvent, recorded: &Recorded, touched: &mut Touched) {
    let subscription = (recorded.stream_id,);
    match event {
        SubscriptionEvent::Subscribed(_) => touched.service_subscriptions.makes(subscription),
        SubscriptionEvent::PlanChanged(_)
        | SubscriptionEvent::Configured(_)
        | SubscriptionEvent::Renewed(_)
        | SubscriptionEvent::Cancelled(_)
        | SubscriptionEvent::Expired(_) => touched.service_subscriptions.needs(subscription),
    }
}

/// What an event makes of the rows.
///
/// # Errors
/// When the rows are not as the events before left them.
pub fn project(
    event: &SubscriptionEvent,
    recorded: &Recorded,
    rows: &mut Rows,
) -> Result<(), Fault> {
    let actor = recorded.metadata.actor_id;
    let happened_at = recorded.happened_at();
    match event {
        SubscriptionEvent::Subscribed(event) => {
            rows.service_subscriptions.insert(SubscriptionRow {
                id: recorded.stream_id,
                user_id: event.user_id,
                service_id: event.service_id,
                plan: event.plan.as_str().to_owned(),
                status: SubscriptionStatus::Active.to_string(),
                started_at: happened_at,
                expires_at: event.expires_at,
                ended_at: None,
                cancelled_reason: None,
                configuration: event.configuration.as_ref().map(json),
                created_at: recorded.recorded_at,
                updated_at: recorded.recorded_at,
                created_by: actor,
                updated_by: actor,
            })
        }
        SubscriptionEvent::PlanChanged(event) => change(recorded, rows, |subscription| {
            subscription.plan = event.to.as_str().to_owned();
        }),
        SubscriptionEvent::Configured(event) => change(recorded, rows, |subscription| {
            subscription.configuration = Some(json(&event.configuration));
        }),
        SubscriptionEvent::Renewed(event) => change(recorded, rows, |subscription| {
            subscription.expires_at = Some(event.expires_at);
        }),
        SubscriptionEvent::Cancelled(event) => change(recorded, rows, |subscription| {
            subscription.status = SubscriptionStatus::Cancelled.to_string();
            subscription.ended_at = Some(happened_at);
            subscription.cancelled_reason =
                event.reason.as_ref().map(|reason| reason.as_str().to_owned());
        }),
        SubscriptionEvent::Expired(_) => change(recorded, rows, |subscription| {
            subscription.status = SubscriptionStatus::Expired.to_string();
            subscription.ended_at = Some(happened_at);
        }),
    }
}

fn json(object: &JsonObject) -> JsonText {
    JsonText(object.to_text())
}

fn change(
    recorded: &Recorded,
    rows: &mut Rows,
    change: impl FnOnce(&mut SubscriptionRow),
) -> Result<(), Fault> {
    rows.service_subscriptions.update(&(recorded.stream_id,), |subscription| {
        change(subscription);
        subscription.updated_at = recorded.recorded_at;
        subscription.updated_by = recorded.metadata.actor_id;
    })
}
