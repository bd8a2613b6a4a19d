//! Signing in with a password. What it comes to is ordinary commands: a failure or a login is
//! recorded on the user, an old hash is replaced, and a session is opened.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use daybook_domain::aggregate::Aggregate;
use daybook_domain::context::Actor;
use daybook_domain::identity::session::Session;
use daybook_domain::identity::user::commands::{ChangePassword, RecordFailedLogin, RecordLogin};
use daybook_domain::identity::user::{
    EMAIL_CLAIM, Person, USERNAME_CLAIM, User, UserCommand, UserError,
};
use daybook_domain::message::CommandMessage as _;
use daybook_domain::values::{Email, UserStatus, Username};
use daybook_http::Visitor;
use serde_json::{Map, Value};
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

use crate::engine::{Accepted, Engine};
use crate::error::CommandError;
use crate::load;
use crate::order::{AnyCommand, Intake};
use crate::passwords::{hash_password, is_outdated, verify_password};

/// Somebody who wants to sign in.
pub struct SignIn {
    /// An email or a username, in whatever case.
    pub login: String,
    /// The password.
    pub password: String,
    /// What else is asked of the session: `id`, `org_id`, `expires_at`.
    pub fields: Map<String, Value>,
    /// The command id of the session's opening.
    pub command_id: Option<Uuid>,
    /// From where.
    pub visitor: Visitor,
}

/// One at a time for each user: so that many guesses at once are counted like many in a row.
pub(crate) struct Turns(Vec<Mutex<()>>);

impl Default for Turns {
    fn default() -> Self {
        Self((0..256).map(|_| Mutex::new(())).collect())
    }
}

impl Turns {
    async fn of(&self, user: Uuid) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        user.hash(&mut hasher);
        let at = usize::try_from(hasher.finish() % 256).unwrap_or_default();
        self.0[at].lock().await
    }
}

impl Engine {
    /// Opens a session for whoever knows the password. Nobody learns whether it was the login or
    /// the password that is wrong; the fifth failure in a row locks the user for a while.
    ///
    /// # Errors
    /// [`CommandError::SignInFailed`]; a user who is locked or not active; what opening refuses.
    pub async fn sign_in(&self, sign_in: SignIn) -> Result<Accepted, CommandError> {
        let visitor = sign_in.visitor.clone();
        let user = self.user_called(&sign_in.login).await?;
        let outcome = match user {
            Some(user) => self.sign_in_as(user, sign_in).await,
            None => {
                // It takes as long as for one who is there.
                hash_password(sign_in.password).await?;
                Err(CommandError::SignInFailed)
            }
        };
        self.note_sign_in(user, &visitor, &outcome);
        outcome
    }

    async fn sign_in_as(&self, user: Uuid, sign_in: SignIn) -> Result<Accepted, CommandError> {
        let SignIn { password, fields, command_id, visitor, .. } = sign_in;
        let person = {
            let _turn = self.turns.of(user).await;
            self.recognise(user, &password, &visitor).await?
        };
        if person.status != UserStatus::Active {
            let refusal = UserError::NotActive { status: person.status };
            return Err(CommandError::refused(&refusal));
        }
        let themselves = visitor.caller(Actor::new(user, person.role));
        if is_outdated(person.password_hash.as_str()) {
            let hash = hash_password(password).await?;
            let password_hash =
                hash.parse().map_err(|error| CommandError::Fault(format!("{error}")))?;
            let change = ChangePassword { password_hash };
            self.record(user, change.into(), &visitor, themselves.actor.clone()).await?;
        }
        self.record(user, RecordLogin {}.into(), &visitor, Actor::system()).await?;
        let mut fields = fields;
        fields.insert("user_id".into(), user.to_string().into());
        let order = self
            .order(Intake {
                caller: themselves,
                kind: Session::KIND.to_owned(),
                name: "open".to_owned(),
                stream: None,
                command_id,
                fields,
                if_match: None,
                dry_run: false,
            })
            .await?;
        self.submit(order).await
    }

    /// Who has this email or username, as the log has it: the tables may be behind.
    async fn user_called(&self, login: &str) -> Result<Option<Uuid>, CommandError> {
        let (scope, key) = if let Ok(email) = login.parse::<Email>() {
            (EMAIL_CLAIM, email.key())
        } else if let Ok(username) = login.parse::<Username>() {
            (USERNAME_CLAIM, username.key())
        } else {
            return Ok(None);
        };
        Ok(self.log.claimant(scope, &key).await?)
    }

    /// The person, if the password is theirs; else the failure is recorded.
    async fn recognise(
        &self,
        user: Uuid,
        password: &str,
        visitor: &Visitor,
    ) -> Result<Person, CommandError> {
        let state = load::stream::<User>(&self.log, user).await?.state;
        let person = state.person().filter(|person| !person.is_system);
        let person = person.ok_or(CommandError::SignInFailed)?.clone();
        // Nothing is tried while nobody can sign in: neither counted nor told.
        if let Some(until) = person.locked_at(self.now()) {
            let refusal = UserError::Locked { failures: person.failures, until };
            return Err(CommandError::refused(&refusal));
        }
        let hash = person.password_hash.as_str().to_owned();
        if verify_password(password.to_owned(), hash).await {
            return Ok(person);
        }
        let recorded =
            self.record(user, RecordFailedLogin {}.into(), visitor, Actor::system()).await;
        match recorded {
            // A user who is not active cannot sign in anyway: there is nothing to count.
            Ok(_) | Err(CommandError::Refused { .. }) => Err(CommandError::SignInFailed),
            Err(error) => Err(error),
        }
    }

    /// Submits one command of a user's, made here.
    async fn record(
        &self,
        user: Uuid,
        command: UserCommand,
        visitor: &Visitor,
        actor: Actor,
    ) -> Result<Accepted, CommandError> {
        let named = (User::KIND, command.name());
        let order = self.order_of(user, named, AnyCommand::User(command), visitor.caller(actor));
        self.submit(order).await
    }
}
