//! A billing account: where an organization's invoices go.
//!
//! An organization has one at a time that is not closed; a suspended one counts.
//! The account outlives its organization's deletion, since what is owed stays
//! owed. Absent on purpose: invoices and payments.

pub mod commands;
pub mod errors;
pub mod events;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::organization::Standing as OrganizationStanding;
use crate::access::Owned;
use crate::aggregate::{Aggregate, Claim, Effects, Lifecycle};
use crate::context::Context;
use crate::values::{Personal, Text};
use commands::{ChangeDetails, Close, Open, Suspend};
use events::{Closed, Details, DetailsChanged, Opened, Resumed, Suspended};

pub use commands::BillingAccountCommand;
pub use errors::BillingAccountError;
pub use events::BillingAccountEvent;

/// The scope of claims on an organization's one open account.
pub const OPEN_CLAIM: &str = "billing_account.open";

/// A billing account as its events left it; nothing before the first one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BillingAccount(Option<Payer>);

/// An account that was opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Payer {
    /// Who pays.
    pub org_id: Uuid,
    /// Where invoices go and what they say.
    pub details: Details,
    /// Whether it bills.
    pub standing: Standing,
}

/// Whether an account bills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It does.
    Active,
    /// Not for a while.
    Suspended,
    /// Never again.
    Closed,
}

/// What a billing account must know of its organization.
#[derive(Debug, Clone, Copy, Default)]
pub struct BillingAccountFacts {
    /// Where the organization stands.
    pub organization: OrganizationStanding,
}

impl BillingAccount {
    /// The account, once opened.
    #[must_use]
    pub fn payer(&self) -> Option<&Payer> {
        self.0.as_ref()
    }

    /// The organization whose state the command's decision must know, if any.
    #[must_use]
    pub fn reads(&self, command: &BillingAccountCommand) -> Option<Uuid> {
        match command {
            BillingAccountCommand::Open(command) => Some(command.org_id),
            BillingAccountCommand::ChangeDetails(_)
            | BillingAccountCommand::Suspend(_)
            | BillingAccountCommand::Resume(_)
            | BillingAccountCommand::Close(_) => None,
        }
    }
}

impl Owned for BillingAccount {
    /// Nobody's but the organization's.
    fn owner(&self, _: Uuid, _: &BillingAccountCommand) -> Option<Uuid> {
        None
    }

    fn organization(&self, _: Uuid, command: &BillingAccountCommand) -> Option<Uuid> {
        match (&self.0, command) {
            (Some(payer), _) => Some(payer.org_id),
            (None, BillingAccountCommand::Open(command)) => Some(command.org_id),
            (
                None,
                BillingAccountCommand::ChangeDetails(_)
                | BillingAccountCommand::Suspend(_)
                | BillingAccountCommand::Resume(_)
                | BillingAccountCommand::Close(_),
            ) => None,
        }
    }
}

type Decision = Result<Vec<BillingAccountEvent>, BillingAccountError>;

impl Aggregate for BillingAccount {
    const KIND: &'static str = "organizations.billing_account";
    type Command = BillingAccountCommand;
    type Event = BillingAccountEvent;
    type Error = BillingAccountError;
    type Facts = BillingAccountFacts;

    fn decide(
        &self,
        command: &BillingAccountCommand,
        facts: &BillingAccountFacts,
        _: &Context,
    ) -> Decision {
        match command {
            BillingAccountCommand::Open(command) => open(self, command, facts),
            BillingAccountCommand::ChangeDetails(command) => change_details(self, command),
            BillingAccountCommand::Suspend(command) => suspend(self, command),
            BillingAccountCommand::Resume(_) => match not_closed(self)?.standing {
                Standing::Suspended => one(Resumed {}),
                Standing::Active | Standing::Closed => Ok(vec![]),
            },
            BillingAccountCommand::Close(command) => close(self, command),
        }
    }

    fn apply(&mut self, event: &BillingAccountEvent) {
        match (event, &mut self.0) {
            (BillingAccountEvent::Opened(event), state) => {
                *state = Some(Payer {
                    org_id: event.org_id,
                    details: event.details.clone(),
                    standing: Standing::Active,
                });
            }
            (BillingAccountEvent::DetailsChanged(event), Some(payer)) => {
                payer.details = event.details.clone();
            }
            (BillingAccountEvent::Suspended(_), Some(payer)) => {
                payer.standing = Standing::Suspended;
            }
            (BillingAccountEvent::Resumed(_), Some(payer)) => payer.standing = Standing::Active,
            (BillingAccountEvent::Closed(_), Some(payer)) => payer.standing = Standing::Closed,
            (
                BillingAccountEvent::DetailsChanged(_)
                | BillingAccountEvent::Suspended(_)
                | BillingAccountEvent::Resumed(_)
                | BillingAccountEvent::Closed(_),
                None,
            ) => {}
        }
    }

    fn effects(&self, _: Uuid, event: &BillingAccountEvent) -> Effects {
        let claim = |org_id: Uuid| vec![Claim::new(OPEN_CLAIM, org_id.to_string())];
        match event {
            BillingAccountEvent::Opened(event) => Effects {
                lifecycle: Lifecycle::Opens,
                claims: claim(event.org_id),
                references: vec![event.org_id],
                ..Effects::default()
            },
            BillingAccountEvent::Closed(event) => Effects {
                lifecycle: Lifecycle::Closes,
                releases: claim(event.org_id),
                ..Effects::default()
            },
            BillingAccountEvent::DetailsChanged(_)
            | BillingAccountEvent::Suspended(_)
            | BillingAccountEvent::Resumed(_) => Effects::default(),
        }
    }
}

fn one(event: impl Into<BillingAccountEvent>) -> Decision {
    Ok(vec![event.into()])
}

fn known(account: &BillingAccount) -> Result<&Payer, BillingAccountError> {
    account.payer().ok_or(BillingAccountError::Unknown)
}

fn not_closed(account: &BillingAccount) -> Result<&Payer, BillingAccountError> {
    let payer = known(account)?;
    match payer.standing {
        Standing::Active | Standing::Suspended => Ok(payer),
        Standing::Closed => Err(BillingAccountError::Closed),
    }
}

fn open(account: &BillingAccount, command: &Open, facts: &BillingAccountFacts) -> Decision {
    if account.payer().is_some() {
        return Err(BillingAccountError::AlreadyOpen);
    }
    let org_id = command.org_id;
    match facts.organization {
        OrganizationStanding::Present => {}
        OrganizationStanding::Unknown => {
            return Err(BillingAccountError::OrganizationUnknown { org_id });
        }
        OrganizationStanding::Deleted => {
            return Err(BillingAccountError::OrganizationDeleted { org_id });
        }
    }
    let details = Details {
        billing_email: command.billing_email.clone(),
        company_name: command.company_name.clone(),
        address_line1: given(&command.address_line1, &None),
        address_line2: given(&command.address_line2, &None),
        city: given(&command.city, &None),
        region: given(&command.region, &None),
        postal_code: given(&command.postal_code, &None),
        country: command.country.clone(),
        tax_id: given(&command.tax_id, &None),
    };
    one(Opened { org_id, currency: command.currency, details })
}

fn change_details(account: &BillingAccount, command: &ChangeDetails) -> Decision {
    let before = &not_closed(account)?.details;
    let details = Details {
        billing_email: command.billing_email.as_ref().unwrap_or(&before.billing_email).clone(),
        company_name: command.company_name.as_ref().unwrap_or(&before.company_name).clone(),
        address_line1: given(&command.address_line1, &before.address_line1),
        address_line2: given(&command.address_line2, &before.address_line2),
        city: given(&command.city, &before.city),
        region: given(&command.region, &before.region),
        postal_code: given(&command.postal_code, &before.postal_code),
        country: command.country.clone().or_else(|| before.country.clone()),
        tax_id: given(&command.tax_id, &before.tax_id),
    };
    if details == *before { Ok(vec![]) } else { one(DetailsChanged { details }) }
}

/// What was given, where it was; nothing where that is empty.
fn given<const MAX: usize>(
    asked: &Option<Personal<Text<MAX, 0>>>,
    before: &Option<Personal<Text<MAX, 0>>>,
) -> Option<Personal<Text<MAX, 0>>> {
    match asked {
        Some(text) if text.as_str().trim().is_empty() => None,
        Some(text) => Some(text.clone()),
        None => before.clone(),
    }
}

fn suspend(account: &BillingAccount, command: &Suspend) -> Decision {
    match not_closed(account)?.standing {
        Standing::Active => one(Suspended { reason: command.reason.clone() }),
        Standing::Suspended | Standing::Closed => Ok(vec![]),
    }
}

fn close(account: &BillingAccount, command: &Close) -> Decision {
    let payer = known(account)?;
    match payer.standing {
        Standing::Active | Standing::Suspended => {
            one(Closed { org_id: payer.org_id, reason: command.reason.clone() })
        }
        Standing::Closed => Ok(vec![]),
    }
}
