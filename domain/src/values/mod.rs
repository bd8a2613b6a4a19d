//! Value objects: what a field may hold, checked while it is parsed.
//!
//! The log is read with the same types, so a check may only ever be loosened:
//! a stricter one needs a new type and a new version of the events that use it.

mod account;
mod contact;
mod content;
mod contracts;
mod datacentre;
mod json_object;
mod money;
mod open_banking;
mod permission;
mod personal;
mod prose;
mod recycling;
mod role;
mod scope;
mod secret;
mod services;
mod setting;
mod status;
mod support;
mod tenancy;
mod text;

pub use account::{AccountNumber, AccountType, Direction, TransactionStatus, TransactionType};
pub use contact::{Email, Phone, Username, WebAddress};
pub use content::PostStatus;
pub use contracts::{AliasType, ApiVersion, BaseUrl, ContractStatus, Severity};
pub use datacentre::{Capacity, Hostname, MetricValue, ServerStatus};
pub use json_object::JsonObject;
pub use money::{Amount, Currency, Money, OverdraftLimit};
pub use open_banking::SignedAmount;
pub use permission::{PermittedAction, PermittedResource};
pub use personal::Personal;
pub use prose::Prose;
pub use recycling::{Carbon, CollectionStatus, Measured, Percentage, Weight};
pub use role::UserRole;
pub use scope::{KeyPrefix, Scope};
pub use secret::{PasswordHash, SecretHash};
pub use services::{ServiceStatus, SubscriptionStatus};
pub use setting::{SecretValue, SettingKey, SettingType};
pub use status::{NotificationKind, UserStatus};
pub use support::{AssetStatus, CameFrom, TicketPriority, TicketStatus, WaitsFor};
pub use tenancy::{CountryCode, MemberRole, PlanTier};
pub use text::Text;

/// A person's whole name.
pub type FullName = Text<255>;
/// A first or last name; empty where a person has no such name.
pub type NamePart = Text<100, 0>;
/// Why something was done, in the words of whoever did it.
pub type Reason = Text<500>;
/// The name of a role.
pub type RoleName = Text<50>;
/// The name of a permission.
pub type PermissionName = Text<100>;
/// What something is about.
pub type Description = Text<1000>;

/// A value that is not allowed; says what is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidValue(pub(crate) String);

impl InvalidValue {
    pub(crate) fn new(says: impl Into<String>) -> Self {
        Self(says.into())
    }
}

/// Gives a checked string newtype its ways in (each of them checked) and out.
///
/// The type has one field, a `String`, and `fn check(&str) -> Result<(), InvalidValue>`.
macro_rules! checked_string {
    ($Name:ident $(<$(const $N:ident : usize),+>)?) => {
        impl $(<$(const $N: usize),+>)? $Name $(<$($N),+>)? {
            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl $(<$(const $N: usize),+>)? TryFrom<String> for $Name $(<$($N),+>)? {
            type Error = $crate::values::InvalidValue;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::check(&text)?;
                Ok(Self(text))
            }
        }

        impl $(<$(const $N: usize),+>)? std::str::FromStr for $Name $(<$($N),+>)? {
            type Err = $crate::values::InvalidValue;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::check(text)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl $(<$(const $N: usize),+>)? serde::Serialize for $Name $(<$($N),+>)? {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de, $($(const $N: usize),+)?> serde::Deserialize<'de> for $Name $(<$($N),+>)? {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                Self::try_from(text).map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use checked_string;

/// Shows checked strings as their text, and gives them the JSON Schema in braces.
macro_rules! shown_as_text {
    ($($Name:ident { $($schema:tt)+ })+) => {$(
        impl std::fmt::Debug for $Name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&self.0, f)
            }
        }

        impl std::fmt::Display for $Name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl schemars::JsonSchema for $Name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($Name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ $($schema)+ })
            }
        }
    )+};
}
pub(crate) use shown_as_text;

/// Makes an enum whose JSON is the variant's name in snake case, and whose
/// names are also at hand as text.
macro_rules! named_values {
    (
        $(#[$meta:meta])*
        pub enum $Name:ident { $($(#[$doc:meta])* $Variant:ident = $name:literal),+ $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub enum $Name { $($(#[$doc])* #[serde(rename = $name)] $Variant),+ }

        impl $Name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$Variant),+];

            /// The name as it stands in events and tables.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$Variant => $name),+ }
            }
        }

        impl std::fmt::Display for $Name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use named_values;
