//! The rulebook: the governance rules that are in effect.
//!
//! "All enabled rules" is a fact about a set. This one small stream has it: every change of which
//! rules are in effect, or of what they ask, also writes here, in the same request; and every
//! decision on a contract rests on this stream as it is. So no contract gets past a rule that was
//! enabled before it, however close together the two come. Absent on purpose: an HTTP route; the
//! write side sends its commands by [`follow`] alone.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::governance_rule::{GovernanceRule, GovernanceRuleEvent, Rule};
use crate::aggregate::{Aggregate, Effects, Lifecycle, Refusal, RefusalSort};
use crate::context::Context;

/// The rulebook's stream.
pub const RULEBOOK_STREAM: Uuid = Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0011);
/// How many rules may be in effect at a time: every contract is held to each of them.
pub const MAX_RULES: usize = 100;

/// The rules in effect, by their ids.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rulebook {
    rules: BTreeMap<Uuid, Rule>,
    /// Whether it was ever written to.
    opened: bool,
}

impl Rulebook {
    /// The rules in effect, by their ids.
    #[must_use]
    pub fn rules(&self) -> &BTreeMap<Uuid, Rule> {
        &self.rules
    }
}

/// Puts a rule into effect, or makes it what it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Enforce {
    /// The rule's id.
    pub rule_id: Uuid,
    /// What it asks.
    pub rule: Rule,
}

/// Takes a rule out of effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lift {
    /// The rule's id.
    pub rule_id: Uuid,
}

crate::commands! {
    /// What can be asked of the rulebook.
    pub enum RulebookCommand {
        "enforce" => Enforce,
        "lift" => Lift,
    }
}

/// A rule is in effect, as it stands here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Enforced {
    /// The rule's id.
    pub rule_id: Uuid,
    /// What it asks.
    pub rule: Rule,
}

/// A rule is in effect no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Lifted {
    /// The rule's id.
    pub rule_id: Uuid,
}

crate::events! {
    /// What can have happened to the rulebook.
    pub enum RulebookEvent {
        "contracts.rulebook.enforced" @ 1 => Enforced,
        "contracts.rulebook.lifted" @ 1 => Lifted,
    }
}

/// Why the rulebook may refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulebookError {
    /// Too many rules.
    #[error("{MAX_RULES} governance rules are in effect, which is the most: disable one first")]
    Full,
}

impl Refusal for RulebookError {
    fn code(&self) -> &'static str {
        match self {
            Self::Full => "rulebook-full",
        }
    }

    fn sort(&self) -> RefusalSort {
        match self {
            Self::Full => RefusalSort::Rule,
        }
    }
}

/// Whether these events of a rule change what contracts are held to, so that the rulebook must be
/// loaded and [`follow`] asked.
#[must_use]
pub fn concerns(before: &GovernanceRule, events: &[GovernanceRuleEvent]) -> bool {
    before.in_effect() != after(before, events).in_effect()
}

/// What the rulebook says to new events of the rule `rule_id`, which stood at `before`: its own
/// events, to be appended with them, or the refusal.
///
/// # Errors
/// There is no room for one more.
pub fn follow(
    rulebook: &Rulebook,
    rule_id: Uuid,
    before: &GovernanceRule,
    events: &[GovernanceRuleEvent],
    context: &Context,
) -> Result<Vec<RulebookEvent>, RulebookError> {
    let command = match after(before, events).in_effect() {
        Some(rule) => RulebookCommand::Enforce(Enforce { rule_id, rule: rule.clone() }),
        None => RulebookCommand::Lift(Lift { rule_id }),
    };
    rulebook.decide(&command, &(), context)
}

fn after(before: &GovernanceRule, events: &[GovernanceRuleEvent]) -> GovernanceRule {
    let mut rule = before.clone();
    for event in events {
        rule.apply(event);
    }
    rule
}

impl Aggregate for Rulebook {
    const KIND: &'static str = "contracts.rulebook";
    type Command = RulebookCommand;
    type Event = RulebookEvent;
    type Error = RulebookError;
    type Facts = ();

    fn decide(
        &self,
        command: &RulebookCommand,
        (): &(),
        _: &Context,
    ) -> Result<Vec<RulebookEvent>, RulebookError> {
        match command {
            RulebookCommand::Enforce(Enforce { rule_id, rule }) => match self.rules.get(rule_id) {
                Some(known) if known == rule => Ok(vec![]),
                None if self.rules.len() >= MAX_RULES => Err(RulebookError::Full),
                Some(_) | None => {
                    Ok(vec![Enforced { rule_id: *rule_id, rule: rule.clone() }.into()])
                }
            },
            RulebookCommand::Lift(Lift { rule_id }) if !self.rules.contains_key(rule_id) => {
                Ok(vec![])
            }
            RulebookCommand::Lift(Lift { rule_id }) => {
                Ok(vec![Lifted { rule_id: *rule_id }.into()])
            }
        }
    }

    fn apply(&mut self, event: &RulebookEvent) {
        self.opened = true;
        match event {
            RulebookEvent::Enforced(event) => {
                self.rules.insert(event.rule_id, event.rule.clone());
            }
            RulebookEvent::Lifted(event) => {
                self.rules.remove(&event.rule_id);
            }
        }
    }

    fn effects(&self, _: Uuid, _: &RulebookEvent) -> Effects {
        let lifecycle = if self.opened { Lifecycle::Goes } else { Lifecycle::Opens };
        Effects { lifecycle, ..Effects::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::RefusalSort;
    use crate::aggregate::{fold, given};
    use crate::contracts::governance_rule::{Changed, Check, Defined, Disabled, Enabled};
    use crate::testing::*;
    use crate::values::{Severity, UserRole};

    fn defined(enabled: bool) -> GovernanceRuleEvent {
        let (check, severity) = (Check::HttpsOnly {}, Severity::Error);
        Defined { rule_name: value("safe"), check, severity, description: None, enabled }.into()
    }

    fn changed(severity: Severity, said: Option<&str>) -> GovernanceRuleEvent {
        Changed { check: Check::HttpsOnly {}, severity, description: said.map(value) }.into()
    }

    fn enforced(n: u128, severity: Severity) -> RulebookEvent {
        let rule = Rule { rule_name: value("safe"), check: Check::HttpsOnly {}, severity };
        Enforced { rule_id: Uuid::from_u128(n), rule }.into()
    }

    fn lifted(n: u128) -> RulebookEvent {
        Lifted { rule_id: Uuid::from_u128(n) }.into()
    }

    #[test]
    fn it_follows_what_contracts_are_held_to() {
        let disabled: GovernanceRuleEvent = Disabled { reason: None }.into();
        for (before, events, expected) in [
            (vec![], vec![defined(true)], Some(enforced(1, Severity::Error))),
            (vec![], vec![defined(false)], None),
            (vec![defined(false)], vec![Enabled {}.into()], Some(enforced(1, Severity::Error))),
            (vec![defined(true)], vec![disabled], Some(lifted(1))),
            (
                vec![defined(true)],
                vec![changed(Severity::Warning, None)],
                Some(enforced(1, Severity::Warning)),
            ),
            (vec![defined(true)], vec![changed(Severity::Error, Some("why"))], None),
            (vec![defined(false)], vec![changed(Severity::Warning, None)], None),
        ] {
            let rule: GovernanceRule = fold(&before);
            let book: Rulebook = match rule.in_effect() {
                Some(_) => fold(&[enforced(1, Severity::Error)]),
                None => Rulebook::default(),
            };
            assert_eq!(concerns(&rule, &events), expected.is_some(), "{events:?}");
            let followed =
                follow(&book, Uuid::from_u128(1), &rule, &events, &asked_as(UserRole::Manager));
            assert_eq!(followed, Ok(expected.into_iter().collect()), "{events:?}");
        }
    }

    #[test]
    fn it_has_room_for_a_hundred() {
        let full = || given::<Rulebook>((0..100).map(|n| enforced(n, Severity::Error)));
        let enforce = |n: u128, severity| {
            let RulebookEvent::Enforced(Enforced { rule_id, rule }) = enforced(n, severity) else {
                panic!("enforced")
            };
            full().decide(Enforce { rule_id, rule }, &asked_as(UserRole::Manager))
        };
        let says = "100 governance rules are in effect, which is the most: disable one first";
        assert_refused(enforce(100, Severity::Error), RefusalSort::Rule, "rulebook-full", says);
        assert_eq!(enforce(7, Severity::Error), Ok(vec![]));
        assert_eq!(enforce(7, Severity::Warning), Ok(vec![enforced(7, Severity::Warning)]));
    }

    #[test]
    fn it_opens_once_also_when_it_was_empty_again() {
        let first = Rulebook::default().effects(RULEBOOK_STREAM, &enforced(1, Severity::Error));
        assert_eq!(first.lifecycle, Lifecycle::Opens);
        let emptied: Rulebook = fold(&[enforced(1, Severity::Error), lifted(1)]);
        assert!(emptied.rules().is_empty());
        let later = emptied.effects(RULEBOOK_STREAM, &enforced(2, Severity::Error));
        assert_eq!(later, Effects::default());
    }
}
