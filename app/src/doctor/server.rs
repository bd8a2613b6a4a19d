//! The server: reachable, new enough, durable, and of the same time as this machine.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

use super::Finding;
use crate::config::Settings;
use crate::database::OLDEST_SERVER;
use crate::dev::Database;

/// Whether there is a server to go on with.
pub(super) async fn examine(
    database: &Database,
    settings: &Settings,
    now: impl Fn() -> DateTime<Utc>,
    findings: &mut Vec<Finding>,
) -> bool {
    let mut connection = match database.service.connect().await {
        Ok(connection) => connection,
        Err(error) => {
            findings.push(Finding::fail(
                "connection",
                error.to_string(),
                "check DATABASE_URL, and that the server runs and lets daybook_service in",
            ));
            return false;
        }
    };
    findings.push(Finding::ok(
        "connection",
        format!("{}:{}", database.service.get_host(), database.service.get_port()),
    ));
    let asked = [
        version(&mut connection).await,
        durability(&mut connection).await,
        clock(&mut connection, settings, now).await,
        roles(&mut connection).await,
    ];
    for result in asked {
        match result {
            Ok(finding) => findings.push(finding),
            Err(error) => {
                findings.push(Finding::fail("server", error.to_string(), "look at its log"))
            }
        }
    }
    // Nothing is lost when a connection that only asked is not closed in order.
    let _ = connection.close().await;
    true
}

async fn version(connection: &mut PgConnection) -> Result<Finding, sqlx::Error> {
    let (number, text): (i32, String) = sqlx::query_as(
        "SELECT current_setting('server_version_num')::int, current_setting('server_version')",
    )
    .fetch_one(connection)
    .await?;
    let detail = format!("PostgreSQL {text}");
    Ok(if number >= OLDEST_SERVER {
        Finding::ok("version", detail)
    } else {
        Finding::fail("version", detail, "PostgreSQL 15 or newer is needed: upgrade the server")
    })
}

async fn durability(connection: &mut PgConnection) -> Result<Finding, sqlx::Error> {
    let off: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM pg_settings
         WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off'
         ORDER BY name",
    )
    .fetch_all(connection)
    .await?;
    Ok(if off.is_empty() {
        Finding::ok("durability", "what is acknowledged is on disk")
    } else {
        Finding::fail(
            "durability",
            format!("off: {}", off.join(", ")),
            "an acknowledged command can be lost: switch these on in postgresql.conf",
        )
    })
}

async fn clock(
    connection: &mut PgConnection,
    settings: &Settings,
    now: impl Fn() -> DateTime<Utc>,
) -> Result<Finding, sqlx::Error> {
    let before = now();
    let server: DateTime<Utc> =
        sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(connection).await?;
    let after = now();
    // Somewhere between the two; what is outside is skew.
    let skew =
        if server < before { server - before } else { (server - after).max(TimeDelta::zero()) };
    let bound = i64::try_from(settings.max_clock_ahead.0).unwrap_or(i64::MAX);
    let detail = format!("the server's is {} ms ahead of ours", skew.num_milliseconds());
    let mend = "let both machines follow the same time service";
    Ok(if skew.num_seconds() >= bound {
        Finding::fail("clock", format!("{detail}: appends are refused"), mend)
    } else if skew.abs() > TimeDelta::seconds(2) {
        Finding::warn("clock", detail, mend)
    } else {
        Finding::ok("clock", detail)
    })
}

async fn roles(connection: &mut PgConnection) -> Result<Finding, sqlx::Error> {
    let missing: Vec<String> = sqlx::query_scalar(
        "SELECT wanted.name FROM unnest(ARRAY[
            'daybook_migrator', 'daybook_log_owner', 'daybook_writer', 'daybook_projector',
            'daybook_maintenance', 'application_role', 'daybook_analyst', 'daybook_auditor', 'daybook_service'
         ]) AS wanted (name)
         WHERE NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = wanted.name)",
    )
    .fetch_all(connection)
    .await?;
    Ok(if missing.is_empty() {
        Finding::ok("roles", "all are there")
    } else {
        Finding::fail(
            "roles",
            format!("missing: {}", missing.join(", ")),
            "run `daybook migrate up`",
        )
    })
}
