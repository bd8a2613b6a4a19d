//! The rules of API contracts.

use std::cmp::Ordering;

use uuid::Uuid;

use super::commands::{
    AddAlias, ApiContractCommand, Archive, DeactivateAlias, Deprecate, ExpireAlias, Register,
    Revise,
};
use super::events::{
    AliasAdded, AliasDeactivated, AliasExpired, Archived, Deprecated, Registered, Revised,
};
use super::{
    Alias, ApiContract, ApiContractError, ApiContractEvent, ApiContractFacts, Contract, Finding,
    MAX_ALIASES,
};
use crate::context::Context;
use crate::contracts::governance_rule::Subject;
use crate::values::{AliasType, ApiVersion, ContractStatus, Severity};

type Decision = Result<Vec<ApiContractEvent>, ApiContractError>;

pub(super) fn decide(
    contract: &ApiContract,
    command: &ApiContractCommand,
    facts: &ApiContractFacts,
    context: &Context,
) -> Decision {
    use ApiContractCommand as Asked;
    match command {
        Asked::Register(command) => register(contract, command, facts),
        Asked::Revise(command) => revise(living(contract)?, command, facts),
        Asked::Deprecate(command) => deprecate(living(contract)?, command),
        Asked::Archive(command) => archive(known(contract)?, command),
        Asked::AddAlias(command) => add_alias(living(contract)?, command, context),
        Asked::DeactivateAlias(command) => deactivate_alias(known(contract)?, command),
        Asked::ExpireAlias(command) => expire_alias(known(contract)?, command, context),
    }
}

fn one(event: impl Into<ApiContractEvent>) -> Decision {
    Ok(vec![event.into()])
}

fn known(contract: &ApiContract) -> Result<&Contract, ApiContractError> {
    contract.contract().ok_or(ApiContractError::Unknown)
}

/// A contract that is not archived.
fn living(contract: &ApiContract) -> Result<&Contract, ApiContractError> {
    let contract = known(contract)?;
    match contract.status {
        ContractStatus::Active | ContractStatus::Deprecated => Ok(contract),
        ContractStatus::Archived => Err(ApiContractError::Archived),
    }
}

/// What every rule in effect says, unless one of them refuses.
fn governed(
    facts: &ApiContractFacts,
    subject: &Subject<'_>,
) -> Result<Vec<Finding>, ApiContractError> {
    let findings = facts.rules.iter().map(|(rule_id, rule)| {
        let detail = rule.check.complaint(subject);
        Finding {
            rule_id: *rule_id,
            rule_name: rule.rule_name.clone(),
            severity: rule.severity,
            passed: detail.is_none(),
            detail,
        }
    });
    let findings: Vec<Finding> = findings.collect();
    let refuses = |finding: &&Finding| !finding.passed && finding.severity == Severity::Error;
    let broken: Vec<Finding> = findings.iter().filter(refuses).cloned().collect();
    if broken.is_empty() { Ok(findings) } else { Err(ApiContractError::Governance { broken }) }
}

fn register(contract: &ApiContract, command: &Register, facts: &ApiContractFacts) -> Decision {
    if contract.contract().is_some() {
        return Err(ApiContractError::AlreadyRegistered);
    }
    let subject = Subject {
        canonical_name: command.canonical_name.as_str(),
        version: &command.version,
        description: command.description.as_ref().map(|text| text.as_str()),
        base_url: &command.base_url,
    };
    one(Registered {
        findings: governed(facts, &subject)?,
        canonical_name: command.canonical_name.clone(),
        version: command.version.clone(),
        description: command.description.clone(),
        base_url: command.base_url.clone(),
    })
}

fn revise(contract: &Contract, command: &Revise, facts: &ApiContractFacts) -> Decision {
    let version = command.version.clone();
    let description = command.description.as_ref().or(contract.description.as_ref()).cloned();
    let base_url = command.base_url.as_ref().unwrap_or(&contract.base_url).clone();
    if (&version, &description, &base_url)
        == (&contract.version, &contract.description, &contract.base_url)
    {
        return Ok(vec![]);
    }
    grows(contract, &version)?;
    let subject = Subject {
        canonical_name: contract.canonical_name.as_str(),
        version: &version,
        description: description.as_ref().map(|text| text.as_str()),
        base_url: &base_url,
    };
    let findings = governed(facts, &subject)?;
    one(Revised { version, description, base_url, findings })
}

/// A version in `SemVer` is above every earlier one that is, by their precedence, in which what
/// was built does not count. Versions of other schemes have no order that holds for all of them
/// ("v1beta1" comes before "v1"): they must be new.
fn grows(contract: &Contract, asked: &ApiVersion) -> Result<(), ApiContractError> {
    if let Some(new) = asked.semver() {
        let earlier =
            contract.versions.iter().filter_map(|version| Some((version.semver()?, version)));
        let highest = earlier.max_by(|(left, _), (right, _)| left.cmp_precedence(right));
        if let Some((highest, told)) = highest
            && new.cmp_precedence(&highest) != Ordering::Greater
        {
            let (asked, highest) = (asked.clone(), told.clone());
            return Err(ApiContractError::VersionNotAbove { asked, highest });
        }
    }
    if contract.versions.contains(asked) {
        return Err(ApiContractError::VersionUsed { asked: asked.clone() });
    }
    Ok(())
}

fn deprecate(contract: &Contract, command: &Deprecate) -> Decision {
    match contract.status {
        ContractStatus::Active => one(Deprecated { reason: command.reason.clone() }),
        ContractStatus::Deprecated | ContractStatus::Archived => Ok(vec![]),
    }
}

fn archive(contract: &Contract, command: &Archive) -> Decision {
    match contract.status {
        ContractStatus::Active | ContractStatus::Deprecated => {
            one(Archived { reason: command.reason.clone() })
        }
        ContractStatus::Archived => Ok(vec![]),
    }
}

fn add_alias(contract: &Contract, command: &AddAlias, context: &Context) -> Decision {
    let wanted = Alias {
        alias_name: command.alias_name.clone(),
        context: command.context.clone(),
        alias_type: command.alias_type,
        expires_at: command.expires_at,
        description: command.description.clone(),
        is_active: true,
    };
    let same_name =
        |alias: &&Alias| alias.alias_name == wanted.alias_name && alias.context == wanted.context;
    if let Some(alias) = contract.aliases.values().find(same_name) {
        if *alias == wanted {
            return Ok(vec![]);
        }
        let Alias { alias_name, context, is_active, .. } = alias.clone();
        return Err(ApiContractError::AliasTaken { alias_name, context, is_active });
    }
    lasts(&wanted, context)?;
    if contract.aliases.len() >= MAX_ALIASES {
        return Err(ApiContractError::TooManyAliases);
    }
    one(AliasAdded {
        alias_id: context.fresh_id(0),
        alias_name: wanted.alias_name,
        context: wanted.context,
        alias_type: wanted.alias_type,
        expires_at: wanted.expires_at,
        description: wanted.description,
    })
}

/// A temporary alias ends in the future, a permanent one never.
fn lasts(alias: &Alias, context: &Context) -> Result<(), ApiContractError> {
    match (alias.alias_type, alias.expires_at) {
        (AliasType::Permanent, None) => Ok(()),
        (AliasType::Permanent, Some(expires_at)) => {
            Err(ApiContractError::ExpiryOfPermanent { expires_at })
        }
        (AliasType::Temporary, None) => Err(ApiContractError::ExpiryMissing),
        (AliasType::Temporary, Some(expires_at)) if expires_at <= context.now => {
            Err(ApiContractError::ExpiryPast { expires_at, now: context.now })
        }
        (AliasType::Temporary, Some(_)) => Ok(()),
    }
}

fn alias_of(contract: &Contract, alias_id: Uuid) -> Result<&Alias, ApiContractError> {
    contract.aliases.get(&alias_id).ok_or(ApiContractError::AliasUnknown { alias_id })
}

fn deactivate_alias(contract: &Contract, command: &DeactivateAlias) -> Decision {
    let DeactivateAlias { alias_id, reason } = command;
    if !alias_of(contract, *alias_id)?.is_active {
        return Ok(vec![]);
    }
    one(AliasDeactivated { alias_id: *alias_id, reason: reason.clone() })
}

fn expire_alias(contract: &Contract, command: &ExpireAlias, context: &Context) -> Decision {
    let Some(alias_id) = command.alias_id else { return expire_aliases(contract, context) };
    let alias = alias_of(contract, alias_id)?;
    if !alias.is_active {
        return Ok(vec![]);
    }
    match alias.expires_at {
        Some(expires_at) if expires_at <= context.now => one(AliasExpired { alias_id }),
        expires_at => Err(ApiContractError::NotDue { expires_at }),
    }
}

/// Every alias whose time has come; refused where one is yet to come and none has, so that the
/// same is asked again.
fn expire_aliases(contract: &Contract, context: &Context) -> Decision {
    let temporary = contract.aliases.iter().filter(|(_, alias)| alias.is_active);
    let ends = || temporary.clone().filter_map(|(id, alias)| Some((*id, alias.expires_at?)));
    let due: Vec<ApiContractEvent> = ends()
        .filter(|(_, expires_at)| *expires_at <= context.now)
        .map(|(alias_id, _)| AliasExpired { alias_id }.into())
        .collect();
    match ends().map(|(_, expires_at)| expires_at).min() {
        Some(first) if due.is_empty() => Err(ApiContractError::NotDue { expires_at: Some(first) }),
        Some(_) | None => Ok(due),
    }
}
