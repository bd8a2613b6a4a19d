//! What can be asked of a billing account.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{CountryCode, Currency, Email, Personal, Reason, Text};

/// Opens the account through which an organization pays. It has one open account at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// Who pays; the organization must not be deleted.
    pub org_id: Uuid,
    /// Where invoices are sent.
    pub billing_email: Personal<Email>,
    /// To whom they are addressed.
    pub company_name: Personal<Text<255>>,
    /// Street and number.
    #[serde(default)]
    pub address_line1: Option<Personal<Text<255, 0>>>,
    /// What else the address needs.
    #[serde(default)]
    pub address_line2: Option<Personal<Text<255, 0>>>,
    /// The city.
    #[serde(default)]
    pub city: Option<Personal<Text<100, 0>>>,
    /// The state, province or region.
    #[serde(default)]
    pub region: Option<Personal<Text<100, 0>>>,
    /// The postal code.
    #[serde(default)]
    pub postal_code: Option<Personal<Text<20, 0>>>,
    /// The country.
    #[serde(default)]
    pub country: Option<CountryCode>,
    /// The number under which it is taxed.
    #[serde(default)]
    pub tax_id: Option<Personal<Text<50, 0>>>,
    /// What invoices are in; `USD` where absent.
    #[serde(default)]
    pub currency: Currency,
}

/// Changes where invoices go and what they say. What is absent stays as it is; an empty text
/// takes away what was there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeDetails {
    /// Where invoices are sent.
    #[serde(default)]
    pub billing_email: Option<Personal<Email>>,
    /// To whom they are addressed.
    #[serde(default)]
    pub company_name: Option<Personal<Text<255>>>,
    /// Street and number.
    #[serde(default)]
    pub address_line1: Option<Personal<Text<255, 0>>>,
    /// What else the address needs.
    #[serde(default)]
    pub address_line2: Option<Personal<Text<255, 0>>>,
    /// The city.
    #[serde(default)]
    pub city: Option<Personal<Text<100, 0>>>,
    /// The state, province or region.
    #[serde(default)]
    pub region: Option<Personal<Text<100, 0>>>,
    /// The postal code.
    #[serde(default)]
    pub postal_code: Option<Personal<Text<20, 0>>>,
    /// The country.
    #[serde(default)]
    pub country: Option<CountryCode>,
    /// The number under which it is taxed.
    #[serde(default)]
    pub tax_id: Option<Personal<Text<50, 0>>>,
}

/// Stops billing for a while.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Suspend {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Goes on with billing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resume {}

/// Ends it for good; the organization may open another one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Close {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

crate::commands! {
    /// What can be asked of a billing account.
    pub enum BillingAccountCommand {
        "open" => Open,
        "change_details" => ChangeDetails,
        "suspend" => Suspend,
        "resume" => Resume,
        "close" => Close,
    }
}
