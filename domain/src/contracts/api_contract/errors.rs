//! Why an API contract may refuse.

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use super::{Finding, MAX_ALIASES};
use crate::aggregate::{Refusal, RefusalSort};
use crate::values::{ApiVersion, Text};

fn told(instant: &DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// The rules that were broken, with what each of them says.
fn listed(broken: &[Finding]) -> String {
    let said = |finding: &Finding| {
        format!("{}: {}", finding.rule_name, finding.detail.as_deref().unwrap_or_default())
    };
    broken.iter().map(said).collect::<Vec<_>>().join("; ")
}

/// Why an API contract may refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiContractError {
    /// No contract was registered under this id.
    #[error("there is no such API contract")]
    Unknown,
    /// A contract was registered under this id before.
    #[error("this API contract is registered already")]
    AlreadyRegistered,
    /// It is kept for the record only.
    #[error("the API contract is archived")]
    Archived,
    /// Rules that refuse.
    #[error("{} governance rules refuse this: {}", broken.len(), listed(broken))]
    Governance {
        /// What they say.
        broken: Vec<Finding>,
    },
    /// Below or at a version that it had.
    #[error("versions only grow: {asked} is not above {highest}", asked = asked.as_str(), highest = highest.as_str())]
    VersionNotAbove {
        /// What was asked.
        asked: ApiVersion,
        /// The highest that it had.
        highest: ApiVersion,
    },
    /// A version that it had.
    #[error("the contract had the version {asked:?} before", asked = asked.as_str())]
    VersionUsed {
        /// What was asked.
        asked: ApiVersion,
    },
    /// The contract has no alias with this id.
    #[error("the contract has no alias {alias_id}")]
    AliasUnknown {
        /// The id.
        alias_id: Uuid,
    },
    /// The alias is there, and not as asked; or it ended.
    #[error(
        "{alias_name:?} is an alias in {context:?} already, {}",
        if *is_active { "of another sort" } else { "though it ended" },
        alias_name = alias_name.as_str(), context = context.as_str()
    )]
    AliasTaken {
        /// The name.
        alias_name: Text<255>,
        /// Where it is called so.
        context: Text<100>,
        /// Whether it is active.
        is_active: bool,
    },
    /// Too many aliases.
    #[error("an API contract has at most {MAX_ALIASES} aliases, those that ended among them")]
    TooManyAliases,
    /// A temporary alias that never ends.
    #[error("a temporary alias says when it expires")]
    ExpiryMissing,
    /// A permanent alias that ends.
    #[error("a permanent alias does not expire, this says {}", told(expires_at))]
    ExpiryOfPermanent {
        /// What was asked.
        expires_at: DateTime<Utc>,
    },
    /// The expiry is not in the future.
    #[error("an alias expires in the future: {} is not after {}", told(expires_at), told(now))]
    ExpiryPast {
        /// What was asked.
        expires_at: DateTime<Utc>,
        /// The present.
        now: DateTime<Utc>,
    },
    /// The alias's time has not come.
    #[error("the alias {}", expires_at.map_or_else(
        || "never expires".to_owned(),
        |end| format!("expires at {}, not before", told(&end))
    ))]
    NotDue {
        /// When it expires, if it does.
        expires_at: Option<DateTime<Utc>>,
    },
}

impl Refusal for ApiContractError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "api-contract-not-found",
            Self::AlreadyRegistered => "api-contract-already-registered",
            Self::Archived => "api-contract-archived",
            Self::Governance { .. } => "governance-refuses",
            Self::VersionNotAbove { .. } => "version-not-above",
            Self::VersionUsed { .. } => "version-used",
            Self::AliasUnknown { .. } => "alias-not-found",
            Self::AliasTaken { .. } => "alias-taken",
            Self::TooManyAliases => "too-many-aliases",
            Self::ExpiryMissing => "expiry-missing",
            Self::ExpiryOfPermanent { .. } => "expiry-of-permanent",
            Self::ExpiryPast { .. } => "expiry-not-in-future",
            Self::NotDue { .. } => "alias-not-due",
        }
    }

    fn sort(&self) -> RefusalSort {
        match self {
            Self::Unknown => RefusalSort::NotFound,
            Self::AlreadyRegistered | Self::AliasTaken { .. } => RefusalSort::Exists,
            Self::ExpiryMissing | Self::ExpiryOfPermanent { .. } | Self::ExpiryPast { .. } => {
                RefusalSort::Invalid
            }
            Self::Archived
            | Self::Governance { .. }
            | Self::VersionNotAbove { .. }
            | Self::VersionUsed { .. }
            | Self::AliasUnknown { .. }
            | Self::TooManyAliases
            | Self::NotDue { .. } => RefusalSort::Rule,
        }
    }
}
