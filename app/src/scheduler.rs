//! What comes due: looked for in the read tables every few seconds, and said by ordinary commands
//! of the user `scheduler`.
//!
//! The tables only say where to look; the command decides, on the log. So one that is behind costs
//! a refusal and another look. A command's id follows from what is due and when it came due, so
//! that several processes, or one that looks again before the tables know, say it once.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use daybook_command::{CommandError, Engine, Intake};
use daybook_domain::context::Actor;
use daybook_http::Caller;
use serde_json::Map;
use sqlx::PgPool;
use uuid::Uuid;

use crate::serve::{Runtime, TaskError};
use crate::world;

/// How often is looked.
const EVERY: Duration = Duration::from_secs(2);
/// How many of a kind are taken at once; the statements' own limit.
const AT_ONCE: usize = 500;

/// A kind of thing that comes due.
struct ComesDue {
    /// The aggregate.
    kind: &'static str,
    /// The command that says so.
    command: &'static str,
    /// The streams that are due and since when, the first first, at most 500.
    due: &'static str,
}

/// Everything that comes due.
const ALL: &[ComesDue] = &[
    ComesDue {
        kind: "identity.session",
        command: "expire",
        due: "SELECT id, expires_at FROM public.sessions
              WHERE status = 'active' AND expires_at <= now() ORDER BY expires_at LIMIT 500",
    },
    ComesDue {
        kind: "identity.api_key",
        command: "expire",
        due: "SELECT id, expires_at FROM public.api_keys
              WHERE status = 'active' AND expires_at <= now() ORDER BY expires_at LIMIT 500",
    },
    ComesDue {
        kind: "services.subscription",
        command: "expire",
        due: "SELECT id, expires_at FROM public.service_subscriptions
              WHERE status = 'active' AND expires_at <= now() ORDER BY expires_at LIMIT 500",
    },
    ComesDue {
        kind: "open_banking.aisp_account",
        command: "expire_consent",
        due: "SELECT id, consent_expires FROM public.aisp_accounts
              WHERE consent_expires <= now() ORDER BY consent_expires LIMIT 500",
    },
    ComesDue {
        kind: "contracts.api_contract",
        command: "expire_alias",
        due: "SELECT contract_id, min(expires_at) FROM public.ssot_api_aliases
              WHERE is_active AND expires_at <= now() GROUP BY contract_id ORDER BY 2 LIMIT 500",
    },
];

/// Looks every few seconds until it is cancelled. A failure is logged, and looked again.
///
/// # Errors
/// None; it ends when it is cancelled.
pub(crate) async fn run(runtime: Runtime, engine: Arc<Engine>) -> Result<(), TaskError> {
    loop {
        let mut more = false;
        for comes_due in ALL {
            tokio::select! {
                () = runtime.cancel.cancelled() => return Ok(()),
                said = once(comes_due, &runtime.pools.projector, &engine) => match said {
                    Ok(said) => more |= said >= AT_ONCE,
                    Err(error) => {
                        let kind = comes_due.kind;
                        tracing::warn!(kind, %error, "what came due was not said; trying again");
                    }
                },
            }
        }
        let pause = if more { Duration::ZERO } else { EVERY };
        tokio::select! {
            () = runtime.cancel.cancelled() => return Ok(()),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Says what has come due of one kind, as far as the tables know; gives how often something
/// happened that had not happened before.
async fn once(
    comes_due: &ComesDue,
    tables: &PgPool,
    engine: &Engine,
) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
    let due: Vec<(Uuid, DateTime<Utc>)> = sqlx::query_as(comes_due.due).fetch_all(tables).await?;
    let mut said = 0;
    for (stream, since) in due {
        match engine.submit(engine.order(intake(comes_due, stream, since)).await?).await {
            Ok(accepted) if accepted.appended.replayed || accepted.appended.events == 0 => {}
            Ok(_) => said += 1,
            // The tables are behind the log, or another process says the same right now.
            Err(CommandError::Refused { .. } | CommandError::InProgress(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(said)
}

fn intake(comes_due: &ComesDue, stream: Uuid, since: DateTime<Utc>) -> Intake {
    let name = format!("{}.{}@{}", comes_due.kind, comes_due.command, since.timestamp_micros());
    Intake {
        caller: Caller {
            actor: Actor::scheduler(),
            ip_address: None,
            user_agent: None,
            correlation_id: world::fresh_id(),
            session_id: None,
            traceparent: None,
        },
        kind: comes_due.kind.to_owned(),
        name: comes_due.command.to_owned(),
        stream: Some(stream),
        command_id: Some(Uuid::new_v5(&stream, name.as_bytes())),
        fields: Map::new(),
        if_match: None,
        dry_run: false,
    }
}

#[cfg(test)]
mod tests {
    use daybook_domain::access;
    use daybook_domain::catalog;

    use super::*;

    #[test]
    fn what_comes_due_is_said_by_commands_that_exist_and_the_scheduler_may() {
        for comes_due in ALL {
            let aggregate = catalog::by_kind(comes_due.kind).expect(comes_due.kind);
            assert!(aggregate.commands.iter().any(|command| command.name == comes_due.command));
            let may = access::may(&Actor::scheduler(), comes_due.kind, comes_due.command, false);
            assert!(may, "{}", comes_due.kind);
            assert!(comes_due.due.ends_with(&format!("LIMIT {AT_ONCE}")), "{}", comes_due.kind);
        }
    }

    #[test]
    fn the_same_is_said_under_one_id_and_something_later_under_another() {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let id = |stream, since| intake(&ALL[0], stream, since).command_id;
        assert_eq!(id(one, at(1)), id(one, at(1)));
        assert_ne!(id(one, at(1)), id(one, at(2)));
        assert_ne!(id(one, at(1)), id(other, at(1)));
    }
}
