//! `daybook admin`.

use clap::{Args, Subcommand};
use daybook_command::founding::{NewKey, NewUser};
use serde_json::json;
use uuid::Uuid;

use super::output::{self, Output, line};
use super::{Exit, Failure, Outcome, Session};
use crate::workbench::Workbench;

/// Users and their keys, from the machine that runs the service
#[derive(Debug, Args)]
#[command(
    after_help = "For the first administrator, and for when nobody can get in. Everything goes through ordinary commands, by the user `system`, and shows in the audit trail.\n\nExample: daybook admin create-user --username ada --email ada@example.org --name 'Ada Lovelace' --role admin --key"
)]
pub(super) struct Admin {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Register a user
    #[command(
        after_help = "Example: daybook admin create-user --username ada --email ada@example.org --name 'Ada Lovelace' --role admin --key"
    )]
    CreateUser {
        /// The name to sign in with
        #[arg(long)]
        username: String,
        /// The email address
        #[arg(long)]
        email: String,
        /// The whole name
        #[arg(long)]
        name: String,
        /// admin, manager, user, viewer or auditor
        #[arg(long, default_value = "user")]
        role: String,
        /// Issue a key as well, and show it
        #[arg(long)]
        key: bool,
    },
    /// Issue a key to a user, and show it once
    #[command(after_help = "Example: daybook admin issue-key ada --name laptop --scope '*:read'")]
    IssueKey {
        /// The user's id or username
        user: String,
        /// What the key is called
        #[arg(long, default_value = "daybook admin")]
        name: String,
        /// What the key is limited to, as resource:action; nothing: all that its owner may
        #[arg(long = "scope")]
        scopes: Vec<String>,
    },
    /// Revoke a key
    #[command(
        after_help = "Example: daybook admin revoke-key 0193f3c4-0000-7000-8000-000000000000"
    )]
    RevokeKey {
        /// The key's id
        key: Uuid,
    },
    Ownership(super::ownership::Ownership),
    PublishAgain(super::ownership::PublishAgain),
    /// List the users
    #[command(after_help = "Example: daybook admin users --output json")]
    Users {
        /// How they are printed
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
    /// List the keys
    #[command(after_help = "Example: daybook admin keys")]
    Keys {
        /// How they are printed
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
}

impl Admin {
    pub(super) async fn run(self, session: Session) -> Outcome {
        // These need nothing of the write side.
        let this = match self.what {
            What::Ownership(ownership) => return ownership.run(session).await,
            What::PublishAgain(tables) => return tables.run(session).await,
            what => Self { what },
        };
        let bench =
            Workbench::open(&session.settings).await.map_err(|e| Failure::failed(e.to_string()))?;
        let outcome = this.work(&bench).await;
        bench.close().await.map_err(|e| Failure::failed(e.to_string()))?;
        outcome
    }

    async fn work(self, bench: &Workbench) -> Outcome {
        let engine = &bench.engine;
        match self.what {
            What::CreateUser { username, email, name: full_name, role, key } => {
                let user = NewUser { username, email, full_name, role, password: None };
                let registered = engine.register(&user).await?;
                let id = registered.appended.stream_id;
                line(format!("{} is {id}", user.username));
                let mut position = registered.appended.position;
                if key {
                    show(&engine.issue_key(id, "daybook admin", &["*".to_owned()]).await?);
                    position = *engine.appender().head().borrow();
                }
                posted(bench, position).await?;
            }
            What::IssueKey { user, name, scopes } => {
                let id = find_user(bench, &user).await?;
                let scopes = if scopes.is_empty() { vec!["*".to_owned()] } else { scopes };
                show(&engine.issue_key(id, &name, &scopes).await?);
                posted(bench, *engine.appender().head().borrow()).await?;
            }
            What::RevokeKey { key } => {
                let fields = json!({ "id": key });
                let revoked = engine.as_system("identity.api_key", "revoke", fields).await?;
                line(format!("{key} is revoked; it stops working within five seconds"));
                posted(bench, revoked.appended.position).await?;
            }
            // Done before the write side was opened.
            What::Ownership(_) | What::PublishAgain(_) => {}
            What::Users { output } => {
                let users: Vec<serde_json::Value> = rows(
                    bench,
                    "SELECT to_jsonb(u) FROM (SELECT id, username, email, role, status, created_at FROM public.users ORDER BY created_at, id) u",
                )
                .await?;
                output::rows(output, ["id", "username", "email", "role", "status"], &users, |u| {
                    ["id", "username", "email", "role", "status"].map(|name| text(u, name))
                })?;
            }
            What::Keys { output } => {
                let keys: Vec<serde_json::Value> = rows(
                    bench,
                    "SELECT to_jsonb(k) FROM (SELECT k.id, u.username, k.name, k.prefix, k.scopes, k.expires_at, k.revoked_at FROM public.api_keys k JOIN public.users u ON u.id = k.user_id ORDER BY k.created_at, k.id) k",
                )
                .await?;
                output::rows(
                    output,
                    ["id", "username", "name", "prefix", "revoked_at"],
                    &keys,
                    |k| {
                        ["id", "username", "name", "prefix", "revoked_at"].map(|name| text(k, name))
                    },
                )?;
            }
        }
        Ok(Exit::Done)
    }
}

async fn posted(bench: &Workbench, position: i64) -> Result<(), Failure> {
    bench.posted(position).await.map_err(|error| Failure::failed(error.to_string()))
}

fn show(key: &NewKey) {
    line(format!("Key {} (shown this once, kept as a hash only):", key.key_id));
    line(&key.secret);
}

fn text(row: &serde_json::Value, name: &str) -> String {
    match &row[name] {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

async fn rows(bench: &Workbench, sql: &'static str) -> Result<Vec<serde_json::Value>, Failure> {
    Ok(sqlx::query_scalar(sql).fetch_all(&bench.pools.projector).await?)
}

/// The user with this id, or with this username without regard to case.
async fn find_user(bench: &Workbench, user: &str) -> Result<Uuid, Failure> {
    if let Ok(id) = Uuid::parse_str(user) {
        return Ok(id);
    }
    sqlx::query_scalar("SELECT id FROM public.users WHERE lower(username) = lower($1)")
        .bind(user)
        .fetch_optional(&bench.pools.projector)
        .await?
        .ok_or_else(|| {
            Failure::failed(format!("there is no user {user:?}; `daybook admin users` lists them"))
        })
}
