//! The first events of a log, and its first administrator.

use daybook_domain::aggregate::Aggregate;
use daybook_domain::context::{Actor, SYSTEM_USER};
use daybook_domain::identity::admins::{ADMINS_STREAM, Admins};
use daybook_domain::identity::api_key::ApiKey;
use daybook_domain::identity::bootstrap;
use daybook_domain::identity::role::Role;
use daybook_domain::identity::user::User;
use daybook_http::Caller;
use daybook_store::{AppendRequest, CommandKey, Metadata, StreamWrite};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::engine::{Accepted, Engine};
use crate::error::CommandError;
use crate::load;
use crate::order::Intake;
use crate::unit;

/// The id of the command that begins every log.
const FOUNDING: Uuid = Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0100);
/// The id of the command that makes the built-in roles.
const FOUNDING_ROLES: Uuid = Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0101);

/// A user's new key, to be shown once.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// The user.
    pub user_id: Uuid,
    /// The key's own stream.
    pub key_id: Uuid,
    /// What goes after `Authorization: Bearer`.
    pub secret: String,
}

/// What a new user is made of by the operator's tools.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The name to sign in with.
    pub username: String,
    /// The address.
    pub email: String,
    /// The whole name.
    pub full_name: String,
    /// The built-in role.
    pub role: String,
    /// A password, for those who sign in with one.
    pub password: Option<String>,
}

impl Engine {
    /// Makes sure that the log begins with the users that are parts of the service, and that it
    /// has the built-in roles. Does nothing where it does already; safe from several processes.
    ///
    /// # Errors
    /// The log does not take it.
    pub async fn found(&self) -> Result<(), CommandError> {
        self.found_with::<User>(FOUNDING, &bootstrap::system_users()).await?;
        self.found_with::<Role>(FOUNDING_ROLES, &bootstrap::system_roles()).await
    }

    async fn found_with<A: Aggregate>(
        &self,
        id: Uuid,
        firsts: &[(Uuid, A::Event)],
    ) -> Result<(), CommandError> {
        // Its id is forgotten some day, as all are; the streams that it began stay.
        let Some((first, _)) = firsts.first() else { return Ok(()) };
        if self.log.command(SYSTEM_USER, id).await?.is_some()
            || self.log.stream_head(*first).await?.is_some()
        {
            return Ok(());
        }
        let mut writes = Vec::new();
        for (stream, event) in firsts {
            let effects = A::default().effects(*stream, event);
            writes.push(StreamWrite {
                stream_id: *stream,
                kind: A::KIND,
                expected_version: 0,
                events: vec![unit::new_event(event, effects, None)?],
            });
        }
        let request = AppendRequest {
            command: CommandKey { scope: SYSTEM_USER, id, fingerprint: [0; 32] },
            metadata: Metadata { actor_id: SYSTEM_USER, correlation_id: id, ..Metadata::default() },
            writes,
            guards: Vec::new(),
            chains: Vec::new(),
        };
        self.appender.append(request).await?;
        Ok(())
    }

    /// Whether anybody administers this log yet.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn has_administrator(&self) -> Result<bool, CommandError> {
        let roster = load::stream::<Admins>(&self.log, ADMINS_STREAM).await?.state;
        Ok(roster.users().len() > 0)
    }

    /// Registers a user on behalf of the system, by the ordinary command.
    ///
    /// # Errors
    /// Why it was refused.
    pub async fn register(&self, user: &NewUser) -> Result<Accepted, CommandError> {
        let mut fields = json!({
            "username": user.username,
            "email": user.email,
            "full_name": user.full_name,
            "role": user.role,
        });
        match &user.password {
            Some(password) => fields["password"] = password.clone().into(),
            None => fields["password_hash"] = "!".into(),
        }
        self.as_system(User::KIND, "register", fields).await
    }

    /// Issues a key to a user on behalf of the system, by the ordinary command.
    ///
    /// # Errors
    /// Why it was refused.
    pub async fn issue_key(
        &self,
        user_id: Uuid,
        name: &str,
        scopes: &[String],
    ) -> Result<NewKey, CommandError> {
        let fields = json!({ "user_id": user_id, "name": name, "scopes": scopes });
        let accepted = self.as_system(ApiKey::KIND, "issue", fields).await?;
        let secret = accepted.secrets.into_iter().find(|(name, _)| *name == "secret");
        let (_, secret) = secret
            .ok_or_else(|| CommandError::Fault("a new key came without its secret".into()))?;
        Ok(NewKey { user_id, key_id: accepted.appended.stream_id, secret })
    }

    /// Submits one command on behalf of the system.
    ///
    /// # Errors
    /// Why it was refused.
    pub async fn as_system(
        &self,
        kind: &str,
        name: &str,
        fields: Value,
    ) -> Result<Accepted, CommandError> {
        let Value::Object(fields) = fields else {
            return Err(CommandError::Fault("a command's fields are an object".into()));
        };
        let order = self
            .order(Intake {
                caller: Caller {
                    actor: Actor::system(),
                    ip_address: None,
                    user_agent: None,
                    correlation_id: self.fresh_id(),
                    session_id: None,
                    traceparent: None,
                },
                kind: kind.to_owned(),
                name: name.to_owned(),
                stream: None,
                command_id: None,
                fields,
                if_match: None,
                dry_run: false,
            })
            .await?;
        self.submit(order).await
    }
}
