//! Names in a filter that nothing has, and times that have not come: told, rather than answered with
//! nothing.
//!
//! A name is known that this build knows, or that the log has: what an older build wrote stays readable.

use std::fmt;

use daybook_domain::catalog::AGGREGATES;
use daybook_store::{Filter, Log, ReadError, kind_of};

use crate::audit::AuditFilter;
use crate::catalog::TABLES;
use crate::names;

/// What a row of the trail may say was done.
pub const ACTIONS: [&str; 4] = ["INSERT", "UPDATE", "DELETE", "OUT_OF_BAND"];

/// A filter that cannot be meant.
#[derive(Debug, thiserror::Error)]
pub enum UnknownError {
    /// A name that nothing has.
    #[error(transparent)]
    Name(#[from] UnknownName),
    /// A time that has not come, or a log that does not answer.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// A name that nothing has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownName {
    /// What it was to be the name of.
    pub of: Named,
    /// The name.
    pub name: String,
}

/// What has names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// A full type of events.
    Type,
    /// A kind of streams.
    Kind,
    /// A context.
    Context,
    /// A read table.
    Table,
    /// What was done to a row.
    Action,
}

impl Named {
    const fn word(self) -> &'static str {
        match self {
            Self::Type => "event type",
            Self::Kind => "kind of stream",
            Self::Context => "context",
            Self::Table => "read table",
            Self::Action => "action",
        }
    }

    /// All that this build knows.
    fn known(self) -> Vec<&'static str> {
        let mut known: Vec<&str> = match self {
            Self::Type => AGGREGATES.iter().flat_map(|of| of.events).map(|of| of.name).collect(),
            Self::Kind => AGGREGATES.iter().map(|of| of.kind).collect(),
            Self::Context => AGGREGATES.iter().filter_map(|of| of.kind.split('.').next()).collect(),
            Self::Table => TABLES.iter().map(|table| table.name).collect(),
            Self::Action => ACTIONS.to_vec(),
        };
        known.sort_unstable();
        known.dedup();
        known
    }

    /// Whether the log or the trail has it although this build does not know it.
    const fn kept(self) -> &'static str {
        match self {
            Self::Type => "SELECT EXISTS (SELECT FROM journal.events WHERE event_type = $1)",
            Self::Kind => "SELECT EXISTS (SELECT FROM journal.streams WHERE kind = $1)",
            Self::Context => {
                "SELECT EXISTS (SELECT FROM journal.streams WHERE split_part(kind, '.', 1) = $1)"
            }
            Self::Table => "SELECT EXISTS (SELECT FROM public.audit_logs WHERE entity_type = $1)",
            Self::Action => "SELECT EXISTS (SELECT FROM public.audit_logs WHERE action = $1)",
        }
    }
}

impl std::error::Error for UnknownName {}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { of, name } = self;
        write!(f, "there is no {} {name:?}", of.word())?;
        let known = of.known();
        // Of types there are too many to show them all: those of the same stream, or the kinds.
        let kind = kind_of(name);
        let of_kind = |known: &&&str| known.rsplit_once('.').is_some_and(|(of, _)| of == kind);
        let shown: Vec<&str> = match (names::near(name, known.iter().copied()), of) {
            (near, _) if !near.is_empty() => near,
            (_, Named::Type) => known.iter().filter(of_kind).copied().collect(),
            (_, Named::Kind | Named::Context | Named::Table | Named::Action) => known,
        };
        if shown.is_empty() {
            let kinds = Named::Kind.known();
            return write!(
                f,
                ", and none of the kind {kind:?}; the kinds are {}",
                kinds.join(", ")
            );
        }
        write!(f, "; near it, or all that there are: {}", shown.join(", "))
    }
}

/// Refuses a filter of the log that has a name that nothing has, or that ends in the future.
///
/// # Errors
/// Which it is; or the log does not answer.
pub async fn require_log(filter: &Filter, log: &Log) -> Result<(), UnknownError> {
    for (of, names) in [
        (Named::Type, &filter.types),
        (Named::Kind, &filter.kinds),
        (Named::Context, &filter.contexts),
    ] {
        for name in names.iter().flatten() {
            require(of, name, log).await?;
        }
    }
    if let Some(to) = filter.to {
        log.position_at(to).await?;
    }
    Ok(())
}

/// Refuses a filter of the trail in the same way.
///
/// # Errors
/// As [`require_log`].
pub async fn require_audit(filter: &AuditFilter, log: &Log) -> Result<(), UnknownError> {
    for (of, name) in [
        (Named::Table, &filter.table),
        (Named::Action, &filter.action),
        (Named::Type, &filter.event_type),
    ] {
        if let Some(name) = name {
            require(of, name, log).await?;
        }
    }
    if let Some(before) = filter.before {
        log.position_at(before).await?;
    }
    Ok(())
}

async fn require(of: Named, name: &str, log: &Log) -> Result<(), UnknownError> {
    if of.known().binary_search(&name).is_ok() {
        return Ok(());
    }
    let kept = sqlx::query_scalar(of.kept()).bind(name).fetch_one(log.pool()).await;
    if kept.map_err(ReadError::from)? {
        return Ok(());
    }
    Err(UnknownName { of, name: name.to_owned() }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(of: Named, name: &str) -> String {
        UnknownName { of, name: name.to_owned() }.to_string()
    }

    #[test]
    fn what_is_near_is_named() {
        let withdrew = said(Named::Type, "banking.account.withdrew");
        assert!(withdrew.contains("banking.account.withdrawn"), "{withdrew}");
        assert!(said(Named::Context, "bank").contains("banking"));
        let other = said(Named::Context, "zzzzzz");
        assert!(other.contains("identity") && other.contains("support"), "{other}");
        let far = said(Named::Type, "banking.account.zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz");
        assert!(far.contains("banking.account.opened"), "{far}");
        let nowhere = said(Named::Type, "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz");
        assert!(nowhere.contains("the kinds are banking.account"), "{nowhere}");
    }
}
