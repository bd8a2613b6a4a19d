//! An API contract: under which name and where an API is found, in which version, what else it is
//! called, and whether it is as the governance rules ask.
//!
//! Aliases are part of their contract. An alias is taken for ever in its context, also once it is
//! deactivated or has expired: what was called so must not come to mean something else.

pub mod commands;
mod decide;
pub mod errors;
pub mod events;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::governance_rule::Rule;
use crate::access::Owned;
use crate::aggregate::{Aggregate, Claim, Effects, Lifecycle};
use crate::context::Context;
use crate::values::{AliasType, ApiVersion, BaseUrl, ContractStatus, Severity, Text};

pub use commands::ApiContractCommand;
pub use errors::ApiContractError;
pub use events::ApiContractEvent;

/// The scope of claims on canonical names (as they are: case counts).
pub const NAME_CLAIM: &str = "api_contract.canonical_name";
/// The scope of claims on an alias in its context (as they are: case counts).
pub const ALIAS_CLAIM: &str = "api_alias.name_context";
/// How many aliases a contract has, those that ended among them.
pub const MAX_ALIASES: usize = 1_000;

/// A contract as its events left it; nothing before the first one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ApiContract(Option<Contract>);

/// A contract that was registered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contract {
    /// Its name.
    pub canonical_name: Text<255>,
    /// Its version.
    pub version: ApiVersion,
    /// Every version that it ever had, this one too.
    pub versions: BTreeSet<ApiVersion>,
    /// What it is about.
    pub description: Option<Text<4000>>,
    /// Where it is found.
    pub base_url: BaseUrl,
    /// Whether it is to be built upon.
    pub status: ContractStatus,
    /// What else it is called, by the aliases' ids.
    pub aliases: BTreeMap<Uuid, Alias>,
}

/// Another name of a contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alias {
    /// The name.
    pub alias_name: Text<255>,
    /// Where it is called so.
    pub context: Text<100>,
    /// How long it is meant to last.
    pub alias_type: AliasType,
    /// When it ends, if it is temporary.
    pub expires_at: Option<DateTime<Utc>>,
    /// What it is for.
    pub description: Option<Text<1000>>,
    /// Whether it has neither expired nor been deactivated.
    pub is_active: bool,
}

/// What one rule said to a contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The rule's id.
    pub rule_id: Uuid,
    /// Its name.
    pub rule_name: Text<255>,
    /// What breaking it does.
    pub severity: Severity,
    /// Whether the contract is as it asks.
    pub passed: bool,
    /// What is wrong, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What a contract must know of others, read under a guard.
#[derive(Debug, Clone, Default)]
pub struct ApiContractFacts {
    /// The governance rules that are in effect, by their ids.
    pub rules: BTreeMap<Uuid, Rule>,
}

impl ApiContract {
    /// The contract, once registered.
    #[must_use]
    pub fn contract(&self) -> Option<&Contract> {
        self.0.as_ref()
    }

    /// Whether the command's decision must know the governance rules.
    #[must_use]
    pub fn is_governed(command: &ApiContractCommand) -> bool {
        match command {
            ApiContractCommand::Register(_) | ApiContractCommand::Revise(_) => true,
            ApiContractCommand::Deprecate(_)
            | ApiContractCommand::Archive(_)
            | ApiContractCommand::AddAlias(_)
            | ApiContractCommand::DeactivateAlias(_)
            | ApiContractCommand::ExpireAlias(_) => false,
        }
    }
}

impl Owned for ApiContract {
    fn owner(&self, _: Uuid, _: &ApiContractCommand) -> Option<Uuid> {
        None
    }
}

/// An alias in its context as one key: no text has a line feed in it.
fn alias_claim(alias_name: &Text<255>, context: &Text<100>) -> Claim {
    Claim::new(ALIAS_CLAIM, format!("{context}\n{alias_name}"))
}

impl Aggregate for ApiContract {
    const KIND: &'static str = "contracts.api_contract";
    type Command = ApiContractCommand;
    type Event = ApiContractEvent;
    type Error = ApiContractError;
    type Facts = ApiContractFacts;

    fn decide(
        &self,
        command: &ApiContractCommand,
        facts: &ApiContractFacts,
        context: &Context,
    ) -> Result<Vec<ApiContractEvent>, ApiContractError> {
        decide::decide(self, command, facts, context)
    }

    fn apply(&mut self, event: &ApiContractEvent) {
        match (event, &mut self.0) {
            (ApiContractEvent::Registered(event), state) => {
                *state = Some(Contract {
                    canonical_name: event.canonical_name.clone(),
                    version: event.version.clone(),
                    versions: BTreeSet::from([event.version.clone()]),
                    description: event.description.clone(),
                    base_url: event.base_url.clone(),
                    status: ContractStatus::Active,
                    aliases: BTreeMap::new(),
                });
            }
            (ApiContractEvent::Revised(event), Some(contract)) => {
                contract.version = event.version.clone();
                contract.versions.insert(event.version.clone());
                contract.description = event.description.clone();
                contract.base_url = event.base_url.clone();
            }
            (ApiContractEvent::Deprecated(_), Some(contract)) => {
                contract.status = ContractStatus::Deprecated;
            }
            (ApiContractEvent::Archived(_), Some(contract)) => {
                contract.status = ContractStatus::Archived;
            }
            (ApiContractEvent::AliasAdded(event), Some(contract)) => {
                let alias = Alias {
                    alias_name: event.alias_name.clone(),
                    context: event.context.clone(),
                    alias_type: event.alias_type,
                    expires_at: event.expires_at,
                    description: event.description.clone(),
                    is_active: true,
                };
                contract.aliases.insert(event.alias_id, alias);
            }
            (ApiContractEvent::AliasDeactivated(event), Some(contract)) => {
                contract.end_alias(event.alias_id);
            }
            (ApiContractEvent::AliasExpired(event), Some(contract)) => {
                contract.end_alias(event.alias_id);
            }
            (
                ApiContractEvent::Revised(_)
                | ApiContractEvent::Deprecated(_)
                | ApiContractEvent::Archived(_)
                | ApiContractEvent::AliasAdded(_)
                | ApiContractEvent::AliasDeactivated(_)
                | ApiContractEvent::AliasExpired(_),
                None,
            ) => {}
        }
    }

    fn effects(&self, _: Uuid, event: &ApiContractEvent) -> Effects {
        match event {
            ApiContractEvent::Registered(event) => Effects {
                lifecycle: Lifecycle::Opens,
                claims: vec![Claim::new(NAME_CLAIM, event.canonical_name.as_str())],
                ..Effects::default()
            },
            ApiContractEvent::AliasAdded(event) => Effects {
                claims: vec![alias_claim(&event.alias_name, &event.context)],
                ..Effects::default()
            },
            ApiContractEvent::Archived(_) => {
                Effects { lifecycle: Lifecycle::Closes, ..Effects::default() }
            }
            ApiContractEvent::Revised(_)
            | ApiContractEvent::Deprecated(_)
            | ApiContractEvent::AliasDeactivated(_)
            | ApiContractEvent::AliasExpired(_) => Effects::default(),
        }
    }
}

impl Contract {
    fn end_alias(&mut self, alias_id: Uuid) {
        if let Some(alias) = self.aliases.get_mut(&alias_id) {
            alias.is_active = false;
        }
    }
}
