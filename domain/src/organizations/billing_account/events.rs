//! What can have happened to a billing account.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{CountryCode, Currency, Email, Personal, Reason, Text};

/// Where invoices go and what they say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Details {
    /// Where invoices are sent.
    pub billing_email: Personal<Email>,
    /// To whom they are addressed.
    pub company_name: Personal<Text<255>>,
    /// Street and number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_line1: Option<Personal<Text<255, 0>>>,
    /// What else the address needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_line2: Option<Personal<Text<255, 0>>>,
    /// The city.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<Personal<Text<100, 0>>>,
    /// The state, province or region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Personal<Text<100, 0>>>,
    /// The postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<Personal<Text<20, 0>>>,
    /// The country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<CountryCode>,
    /// The number under which it is taxed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<Personal<Text<50, 0>>>,
}

/// An account was opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Opened {
    /// Who pays.
    pub org_id: Uuid,
    /// What invoices are in.
    pub currency: Currency,
    /// Where they go and what they say.
    #[serde(flatten)]
    pub details: Details,
}

/// Invoices go elsewhere, or say something else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DetailsChanged {
    /// Where they go and what they say now, all of it.
    #[serde(flatten)]
    pub details: Details,
}

/// Billing stopped for a while.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Suspended {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// Billing goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Resumed {}

/// The account ended for good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Closed {
    /// Whose it was, so that the organization may open another one.
    pub org_id: Uuid,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

crate::events! {
    /// What can have happened to a billing account.
    pub enum BillingAccountEvent {
        "organizations.billing_account.opened" @ 1 => Opened,
        "organizations.billing_account.details_changed" @ 1 => DetailsChanged,
        "organizations.billing_account.suspended" @ 1 => Suspended,
        "organizations.billing_account.resumed" @ 1 => Resumed,
        "organizations.billing_account.closed" @ 1 => Closed,
    }
}
