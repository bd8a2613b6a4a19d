//! `billing_accounts`.

use chrono::{DateTime, Utc};
use daybook_domain::organizations::billing_account::BillingAccountEvent;
use daybook_domain::organizations::billing_account::events::Details;
use daybook_domain::values::{Personal, Reason, Text};
use daybook_store::Recorded;
use uuid::Uuid;

use crate::catalog::{Rows, Touched};
use crate::rows::Fault;

crate::table! {
    /// A row of `billing_accounts`.
    pub struct BillingAccountRow in "billing_accounts", key (id: Uuid), entity id;
    id: Uuid,
    org_id: Uuid,
    billing_email: String,
    company_name: String,
    address_line1: Option<String>,
    address_line2: Option<String>,
    city: Option<String>,
    region: Option<String>,
    postal_code: Option<String>,
    country: Option<String>,
    tax_id: Option<String>,
    currency: String,
    status: String,
    status_reason: Option<String>,
    suspended_at: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: Uuid,
    updated_by: Uuid,
}

const ACTIVE: &str = "active";
const SUSPENDED: &str = "suspended";
const CLOSED: &str = "closed";

/// The rows of an event.
pub fn touches(event: &BillingAccountEvent, recorded: &Recorded, touched: &mut Touched) {
    let account = (recorded.stream_id,);
    match event {
        BillingAccountEvent::Opened(_) => touched.billing_accounts.makes(account),
        BillingAccountEvent::DetailsChanged(_)
        | BillingAccountEvent::Suspended(_)
        | BillingAccountEvent::Resumed(_)
        | BillingAccountEvent::Closed(_) => touched.billing_accounts.needs(account),
    }
}

/// What an event makes of the rows.
///
/// # Errors
/// When the rows are not as the events before left them.
pub fn project(
    event: &BillingAccountEvent,
    recorded: &Recorded,
    rows: &mut Rows,
) -> Result<(), Fault> {
    let happened_at = recorded.happened_at();
    let actor = recorded.metadata.actor_id;
    match event {
        BillingAccountEvent::Opened(event) => {
            let mut row = BillingAccountRow {
                id: recorded.stream_id,
                org_id: event.org_id,
                billing_email: String::new(),
                company_name: String::new(),
                address_line1: None,
                address_line2: None,
                city: None,
                region: None,
                postal_code: None,
                country: None,
                tax_id: None,
                currency: event.currency.as_str().to_owned(),
                status: ACTIVE.to_owned(),
                status_reason: None,
                suspended_at: None,
                closed_at: None,
                created_at: recorded.recorded_at,
                updated_at: recorded.recorded_at,
                created_by: actor,
                updated_by: actor,
            };
            row.detail(&event.details);
            rows.billing_accounts.insert(row)
        }
        BillingAccountEvent::DetailsChanged(event) => {
            change(recorded, rows, |account| account.detail(&event.details))
        }
        BillingAccountEvent::Suspended(event) => change(recorded, rows, |account| {
            account.stand(SUSPENDED, event.reason.as_ref());
            account.suspended_at = Some(happened_at);
        }),
        BillingAccountEvent::Resumed(_) => change(recorded, rows, |account| {
            account.stand(ACTIVE, None);
            account.suspended_at = None;
        }),
        BillingAccountEvent::Closed(event) => change(recorded, rows, |account| {
            account.stand(CLOSED, event.reason.as_ref());
            account.closed_at = Some(happened_at);
        }),
    }
}

impl BillingAccountRow {
    fn detail(&mut self, details: &Details) {
        self.billing_email = details.billing_email.as_str().to_owned();
        self.company_name = details.company_name.as_str().to_owned();
        self.address_line1 = text(details.address_line1.as_ref());
        self.address_line2 = text(details.address_line2.as_ref());
        self.city = text(details.city.as_ref());
        self.region = text(details.region.as_ref());
        self.postal_code = text(details.postal_code.as_ref());
        self.country = details.country.as_ref().map(|country| country.as_str().to_owned());
        self.tax_id = text(details.tax_id.as_ref());
    }

    fn stand(&mut self, status: &str, reason: Option<&Reason>) {
        self.status = status.to_owned();
        self.status_reason = reason.map(|reason| reason.as_str().to_owned());
    }
}

fn text<const MAX: usize>(text: Option<&Personal<Text<MAX, 0>>>) -> Option<String> {
    text.map(|text| text.as_str().to_owned())
}

fn change(
    recorded: &Recorded,
    rows: &mut Rows,
    change: impl FnOnce(&mut BillingAccountRow),
) -> Result<(), Fault> {
    rows.billing_accounts.update(&(recorded.stream_id,), |account| {
        change(account);
        account.updated_at = recorded.recorded_at;
        account.updated_by = recorded.metadata.actor_id;
    })
}
