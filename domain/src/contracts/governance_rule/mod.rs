//! A governance rule: what API contracts are held to, and what happens to one that breaks it.
//!
//! A rule takes effect while it is enabled: the rules in effect stand together in the
//! [rulebook](crate::contracts::rulebook), on which every contract's decision rests.

mod check;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::Owned;
use crate::aggregate::{Aggregate, Claim, Effects, Lifecycle, Refusal, RefusalSort};
use crate::context::Context;
use crate::values::{Reason, Severity, Text};

pub use check::{Check, MAX_HOSTS, PATTERN_BYTES, Subject, VersionScheme};

/// The scope of claims on the names of rules.
pub const NAME_CLAIM: &str = "governance_rule.name";

/// A rule as its events left it; nothing before the first one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GovernanceRule(Option<Definition>);

/// A rule that was defined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// What holds of contracts, and what happens if it does not.
    pub rule: Rule,
    /// What it is for.
    pub description: Option<Text<1000>>,
    /// Whether it is in effect.
    pub enabled: bool,
}

/// What a rule asks, under which name, and what breaking it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rule {
    /// Its name.
    pub rule_name: Text<255>,
    /// What it asks.
    pub check: Check,
    /// What breaking it does.
    pub severity: Severity,
}

/// Makes a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Define {
    /// Its name, unique.
    pub rule_name: Text<255>,
    /// What it asks.
    pub check: Check,
    /// What breaking it does.
    pub severity: Severity,
    /// What it is for.
    #[serde(default)]
    pub description: Option<Text<1000>>,
    /// Whether it takes effect at once; it does where this is absent.
    #[serde(default = "at_once")]
    pub enabled: bool,
}

const fn at_once() -> bool {
    true
}

/// Changes a rule; what is absent stays as it was. Contracts are held to it from then on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What it asks.
    #[serde(default)]
    pub check: Option<Check>,
    /// What breaking it does.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// What it is for.
    #[serde(default)]
    pub description: Option<Text<1000>>,
}

/// Puts a rule into effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Enable {}

/// Takes a rule out of effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disable {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

crate::commands! {
    /// What can be asked of a governance rule.
    pub enum GovernanceRuleCommand {
        "define" => Define,
        "change" => Change,
        "enable" => Enable,
        "disable" => Disable,
    }
}

/// A rule was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Defined {
    /// Its name.
    pub rule_name: Text<255>,
    /// What it asks.
    pub check: Check,
    /// What breaking it does.
    pub severity: Severity,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text<1000>>,
    /// Whether it took effect at once.
    pub enabled: bool,
}

/// A rule was changed; all of it as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Changed {
    /// What it asks.
    pub check: Check,
    /// What breaking it does.
    pub severity: Severity,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text<1000>>,
}

/// A rule took effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Enabled {}

/// A rule ceased to have effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Disabled {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

crate::events! {
    /// What can have happened to a governance rule.
    pub enum GovernanceRuleEvent {
        "contracts.governance_rule.defined" @ 1 => Defined,
        "contracts.governance_rule.changed" @ 1 => Changed,
        "contracts.governance_rule.enabled" @ 1 => Enabled,
        "contracts.governance_rule.disabled" @ 1 => Disabled,
    }
}

/// Why a governance rule may refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GovernanceRuleError {
    /// No rule was defined under this id.
    #[error("there is no such governance rule")]
    Unknown,
    /// A rule was defined under this id before.
    #[error("this governance rule is defined already")]
    AlreadyDefined,
    /// The pattern cannot be used.
    #[error("the pattern cannot be used: {reason}")]
    Pattern {
        /// What is wrong with it.
        reason: String,
    },
    /// Too few or too many hosts.
    #[error("a rule allows 1 to {MAX_HOSTS} hosts, this {count}")]
    HostCount {
        /// How many were given.
        count: usize,
    },
}

impl Refusal for GovernanceRuleError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "governance-rule-not-found",
            Self::AlreadyDefined => "governance-rule-already-defined",
            Self::Pattern { .. } => "pattern-unusable",
            Self::HostCount { .. } => "host-count",
        }
    }

    fn sort(&self) -> RefusalSort {
        match self {
            Self::Unknown => RefusalSort::NotFound,
            Self::AlreadyDefined => RefusalSort::Exists,
            Self::Pattern { .. } | Self::HostCount { .. } => RefusalSort::Invalid,
        }
    }
}

impl GovernanceRule {
    /// The rule, once defined.
    #[must_use]
    pub fn definition(&self) -> Option<&Definition> {
        self.0.as_ref()
    }

    /// What contracts are held to by it now, if it is in effect.
    #[must_use]
    pub fn in_effect(&self) -> Option<&Rule> {
        self.0.as_ref().filter(|definition| definition.enabled).map(|definition| &definition.rule)
    }
}

impl Owned for GovernanceRule {
    fn owner(&self, _: Uuid, _: &GovernanceRuleCommand) -> Option<Uuid> {
        None
    }
}

impl Aggregate for GovernanceRule {
    const KIND: &'static str = "contracts.governance_rule";
    type Command = GovernanceRuleCommand;
    type Event = GovernanceRuleEvent;
    type Error = GovernanceRuleError;
    type Facts = ();

    fn decide(
        &self,
        command: &GovernanceRuleCommand,
        (): &(),
        _: &Context,
    ) -> Result<Vec<GovernanceRuleEvent>, GovernanceRuleError> {
        let known = || self.0.as_ref().ok_or(GovernanceRuleError::Unknown);
        match command {
            GovernanceRuleCommand::Define(command) => define(self, command),
            GovernanceRuleCommand::Change(command) => change(known()?, command),
            GovernanceRuleCommand::Enable(_) if known()?.enabled => Ok(vec![]),
            GovernanceRuleCommand::Enable(_) => Ok(vec![Enabled {}.into()]),
            GovernanceRuleCommand::Disable(_) if !known()?.enabled => Ok(vec![]),
            GovernanceRuleCommand::Disable(command) => {
                Ok(vec![Disabled { reason: command.reason.clone() }.into()])
            }
        }
    }

    fn apply(&mut self, event: &GovernanceRuleEvent) {
        match (event, &mut self.0) {
            (GovernanceRuleEvent::Defined(event), state) => {
                *state = Some(Definition {
                    rule: Rule {
                        rule_name: event.rule_name.clone(),
                        check: event.check.clone(),
                        severity: event.severity,
                    },
                    description: event.description.clone(),
                    enabled: event.enabled,
                });
            }
            (GovernanceRuleEvent::Changed(event), Some(definition)) => {
                definition.rule.check = event.check.clone();
                definition.rule.severity = event.severity;
                definition.description = event.description.clone();
            }
            (GovernanceRuleEvent::Enabled(_), Some(definition)) => definition.enabled = true,
            (GovernanceRuleEvent::Disabled(_), Some(definition)) => definition.enabled = false,
            (
                GovernanceRuleEvent::Changed(_)
                | GovernanceRuleEvent::Enabled(_)
                | GovernanceRuleEvent::Disabled(_),
                None,
            ) => {}
        }
    }

    fn effects(&self, _: Uuid, event: &GovernanceRuleEvent) -> Effects {
        match event {
            GovernanceRuleEvent::Defined(event) => Effects {
                lifecycle: Lifecycle::Opens,
                claims: vec![Claim::new(NAME_CLAIM, event.rule_name.as_str())],
                ..Effects::default()
            },
            GovernanceRuleEvent::Changed(_)
            | GovernanceRuleEvent::Enabled(_)
            | GovernanceRuleEvent::Disabled(_) => Effects::default(),
        }
    }
}

fn define(
    rule: &GovernanceRule,
    command: &Define,
) -> Result<Vec<GovernanceRuleEvent>, GovernanceRuleError> {
    if rule.0.is_some() {
        return Err(GovernanceRuleError::AlreadyDefined);
    }
    command.check.usable()?;
    Ok(vec![
        Defined {
            rule_name: command.rule_name.clone(),
            check: command.check.clone(),
            severity: command.severity,
            description: command.description.clone(),
            enabled: command.enabled,
        }
        .into(),
    ])
}

fn change(
    definition: &Definition,
    command: &Change,
) -> Result<Vec<GovernanceRuleEvent>, GovernanceRuleError> {
    let changed = Changed {
        check: command.check.as_ref().unwrap_or(&definition.rule.check).clone(),
        severity: command.severity.unwrap_or(definition.rule.severity),
        description: command.description.as_ref().or(definition.description.as_ref()).cloned(),
    };
    changed.check.usable()?;
    let same = changed.check == definition.rule.check
        && changed.severity == definition.rule.severity
        && changed.description == definition.description;
    Ok(if same { vec![] } else { vec![changed.into()] })
}
