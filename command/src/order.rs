//! A command with everything around it, ready to be decided.

use chrono::{DateTime, SubsecRound, Utc};
use daybook_domain::access;
use daybook_domain::aggregate::Aggregate;
use daybook_domain::banking::account::{Account, AccountCommand};
use daybook_domain::content::comment::{Comment, CommentCommand};
use daybook_domain::content::post::{Post, PostCommand};
use daybook_domain::contracts::api_contract::{ApiContract, ApiContractCommand};
use daybook_domain::contracts::governance_rule::{GovernanceRule, GovernanceRuleCommand};
use daybook_domain::datacentre::server::{Server, ServerCommand};
use daybook_domain::identity::api_key::{ApiKey, ApiKeyCommand};
use daybook_domain::identity::permission::{Permission, PermissionCommand};
use daybook_domain::identity::role::{Role, RoleCommand};
use daybook_domain::identity::session::{Session, SessionCommand};
use daybook_domain::identity::user::{User, UserCommand};
use daybook_domain::message::{CommandMessage, DecodeError};
use daybook_domain::open_banking::aisp_account::{AispAccount, AispAccountCommand};
use daybook_domain::organizations::billing_account::{BillingAccount, BillingAccountCommand};
use daybook_domain::organizations::organization::{Organization, OrganizationCommand};
use daybook_domain::organizations::resource::{Resource, ResourceCommand};
use daybook_domain::platform::notification::{Notification, NotificationCommand};
use daybook_domain::platform::setting::{Setting, SettingCommand};
use daybook_domain::recycling::collection::{Collection, CollectionCommand};
use daybook_domain::services::service::{Service, ServiceCommand};
use daybook_domain::services::subscription::{Subscription, SubscriptionCommand};
use daybook_domain::support::asset::{Asset, AssetCommand};
use daybook_domain::support::ticket::{Ticket, TicketCommand};
use daybook_http::Caller;
use daybook_store::CommandKey;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::engine::Engine;
use crate::error::CommandError;
use crate::handle::setting;
use crate::refused::Asked;
use crate::secrets;
use crate::sequence::{Predecessors, Progress};

/// Any command of any aggregate.
#[derive(Debug, Clone)]
pub enum AnyCommand {
    /// `identity.user`
    User(UserCommand),
    /// `identity.permission`
    Permission(PermissionCommand),
    /// `identity.role`
    Role(RoleCommand),
    /// `identity.session`
    Session(SessionCommand),
    /// `identity.api_key`
    ApiKey(ApiKeyCommand),
    /// `organizations.organization`
    Organization(OrganizationCommand),
    /// `organizations.billing_account`
    BillingAccount(BillingAccountCommand),
    /// `organizations.resource`
    Resource(ResourceCommand),
    /// `content.post`
    Post(PostCommand),
    /// `content.comment`
    Comment(CommentCommand),
    /// `services.service`
    Service(ServiceCommand),
    /// `services.subscription`
    Subscription(SubscriptionCommand),
    /// `banking.account`
    Account(AccountCommand),
    /// `open_banking.aisp_account`
    AispAccount(AispAccountCommand),
    /// `recycling.collection`
    Collection(CollectionCommand),
    /// `support.ticket`
    Ticket(TicketCommand),
    /// `support.asset`
    Asset(AssetCommand),
    /// `platform.setting`
    Setting(SettingCommand),
    /// `platform.notification`
    Notification(NotificationCommand),
    /// `datacentre.server`
    Server(ServerCommand),
    /// `contracts.api_contract`
    ApiContract(ApiContractCommand),
    /// `contracts.governance_rule`
    GovernanceRule(GovernanceRuleCommand),
}

impl AnyCommand {
    /// Reads a command of an aggregate from its name and its fields.
    ///
    /// # Errors
    /// No such aggregate or command, or fields that do not fit.
    pub fn decode(kind: &str, name: &str, data: &str) -> Result<Self, DecodeError> {
        match kind {
            User::KIND => UserCommand::decode(name, data).map(Self::User),
            Permission::KIND => PermissionCommand::decode(name, data).map(Self::Permission),
            Role::KIND => RoleCommand::decode(name, data).map(Self::Role),
            Session::KIND => SessionCommand::decode(name, data).map(Self::Session),
            ApiKey::KIND => ApiKeyCommand::decode(name, data).map(Self::ApiKey),
            Organization::KIND => OrganizationCommand::decode(name, data).map(Self::Organization),
            BillingAccount::KIND => {
                BillingAccountCommand::decode(name, data).map(Self::BillingAccount)
            }
            Resource::KIND => ResourceCommand::decode(name, data).map(Self::Resource),
            Post::KIND => PostCommand::decode(name, data).map(Self::Post),
            Comment::KIND => CommentCommand::decode(name, data).map(Self::Comment),
            Service::KIND => ServiceCommand::decode(name, data).map(Self::Service),
            Subscription::KIND => SubscriptionCommand::decode(name, data).map(Self::Subscription),
            Account::KIND => AccountCommand::decode(name, data).map(Self::Account),
            AispAccount::KIND => AispAccountCommand::decode(name, data).map(Self::AispAccount),
            Collection::KIND => CollectionCommand::decode(name, data).map(Self::Collection),
            Ticket::KIND => TicketCommand::decode(name, data).map(Self::Ticket),
            Asset::KIND => AssetCommand::decode(name, data).map(Self::Asset),
            Setting::KIND => SettingCommand::decode(name, data).map(Self::Setting),
            Notification::KIND => NotificationCommand::decode(name, data).map(Self::Notification),
            Server::KIND => ServerCommand::decode(name, data).map(Self::Server),
            ApiContract::KIND => ApiContractCommand::decode(name, data).map(Self::ApiContract),
            GovernanceRule::KIND => {
                GovernanceRuleCommand::decode(name, data).map(Self::GovernanceRule)
            }
            _ => Err(DecodeError::UnknownName { of: "aggregate", name: kind.to_owned() }),
        }
    }

    /// The stream that the command's content names: a setting is found by its key. Others are named
    /// by the caller, or begin under a fresh id.
    fn stream(&self) -> Option<Uuid> {
        match self {
            Self::Setting(SettingCommand::Set(command)) => Some(setting::stream_of(&command.key)),
            _ => None,
        }
    }

    /// Whether a hold on its stream is no refusal but a reason to decide again: of what lets go of
    /// whoever holds it, always; where a rule names some that hold it, once, so that the refusal is
    /// the rule's.
    pub(crate) fn decides_again_when_held(&self, attempt: u32) -> bool {
        let ends_holds = matches!(
            self,
            Self::Role(RoleCommand::Delete(_)) | Self::Organization(OrganizationCommand::Delete(_))
        );
        ends_holds || (attempt == 1 && matches!(self, Self::User(UserCommand::Delete(_))))
    }
}

/// A command as it comes in: names and JSON.
#[derive(Debug, Clone)]
pub struct Intake {
    /// Who asks.
    pub caller: Caller,
    /// The aggregate, such as `banking.account`.
    pub kind: String,
    /// The command, such as `withdraw`.
    pub name: String,
    /// The stream; one is made where none is given.
    pub stream: Option<Uuid>,
    /// The command id; one is made where none is given.
    pub command_id: Option<Uuid>,
    /// The command's fields, and `id` and `occurred_at` beside them.
    pub fields: Map<String, Value>,
    /// The version that the caller expects; 0: that it does not exist.
    pub if_match: Option<i64>,
    /// Decide, but append nothing.
    pub dry_run: bool,
}

/// A command with everything around it.
#[derive(Debug)]
pub struct Order {
    /// Who asks.
    pub caller: Caller,
    /// By which it is recognised when it is sent again.
    pub key: CommandKey,
    /// The stream that it is for.
    pub stream: Uuid,
    /// What is asked, by name: `context.aggregate`…
    pub kind: String,
    /// …and the command.
    pub name: String,
    /// What is asked.
    pub command: AnyCommand,
    /// When it happened in the world.
    pub occurred_at: Option<DateTime<Utc>>,
    /// What caused it.
    pub causation_id: Option<Uuid>,
    /// The version that the caller expects.
    pub if_match: Option<i64>,
    /// Decide, but append nothing.
    pub dry_run: bool,
    /// That this was probably sent before, so that the first answer is looked
    /// for at once; it is found in any case, but by a longer way.
    pub sent_before: bool,
    /// From which fresh ids are derived.
    pub seed: Uuid,
    /// What is shown to the caller once.
    pub secrets: Vec<(&'static str, String)>,
    /// The commands of the same batch that come first.
    pub predecessors: Predecessors,
    /// How far this one has come.
    pub progress: Progress,
}

impl Order {
    /// Tells those who wait that this command is on its way.
    pub fn announce_enqueued(&self) {
        self.progress.enqueued();
    }
}

impl Engine {
    /// Reads a command, hashes what is secret in it, and gives it its ids.
    ///
    /// # Errors
    /// No such command, or fields that do not fit.
    pub async fn order(&self, mut intake: Intake) -> Result<Order, CommandError> {
        match self.read(&mut intake).await {
            Ok(read) => Ok(Order {
                key: read.key,
                stream: read.stream,
                kind: intake.kind,
                name: intake.name,
                command: read.command,
                occurred_at: read.occurred_at,
                causation_id: None,
                if_match: intake.if_match,
                dry_run: intake.dry_run,
                sent_before: false,
                seed: read.seed,
                secrets: read.secrets,
                caller: intake.caller,
                predecessors: Predecessors::default(),
                progress: Progress::default(),
            }),
            Err(error) => {
                if !intake.dry_run {
                    let asked = Asked {
                        caller: &intake.caller,
                        kind: &intake.kind,
                        name: &intake.name,
                        stream: intake.stream,
                        command_id: intake.command_id,
                    };
                    self.note_refusal(&asked, &error);
                }
                Err(error)
            }
        }
    }

    async fn read(&self, intake: &mut Intake) -> Result<Read, CommandError> {
        let seed = self.fresh_id();
        let stream = match take::<Uuid>(&mut intake.fields, "id", "a UUID")? {
            Some(given) if intake.stream.is_some_and(|stream| stream != given) => {
                return Err(CommandError::Invalid {
                    pointer: "/id".into(),
                    detail: format!("id {given} is not the stream in the address"),
                });
            }
            given => intake.stream.or(given),
        };
        if stream.is_some_and(|stream| stream.is_nil()) {
            return Err(CommandError::Invalid {
                pointer: "/id".into(),
                detail: "the nil UUID names nothing".into(),
            });
        }
        let occurred_at =
            take::<DateTime<Utc>>(&mut intake.fields, "occurred_at", "an RFC 3339 time")?
                .map(|time| time.trunc_subsecs(6));
        let command_id = intake.command_id.unwrap_or_else(|| self.fresh_id());
        let fingerprint = fingerprint(intake, stream, occurred_at);
        let (kind, name, actor) = (&intake.kind, &intake.name, &intake.caller.actor);
        if secrets::is_costly(kind, name) && !access::may(actor, kind, name, true) {
            return Err(CommandError::not_allowed(actor, kind, name));
        }
        let secrets = secrets::prepare(&intake.kind, &intake.name, &mut intake.fields).await?;
        let data = Value::Object(std::mem::take(&mut intake.fields)).to_string();
        let command = AnyCommand::decode(&intake.kind, &intake.name, &data)?;
        let scope = intake.caller.actor.tenant.unwrap_or(intake.caller.actor.id);
        let stream = stream.or_else(|| command.stream()).unwrap_or(seed);
        let key = CommandKey { scope, id: command_id, fingerprint };
        Ok(Read { key, stream, command, occurred_at, seed, secrets })
    }
}

/// What was read of an intake.
struct Read {
    key: CommandKey,
    stream: Uuid,
    command: AnyCommand,
    occurred_at: Option<DateTime<Utc>>,
    seed: Uuid,
    secrets: Vec<(&'static str, String)>,
}

impl Engine {
    /// A command that was made here, with everything around it.
    pub(crate) fn order_of(
        &self,
        stream: Uuid,
        (kind, name): (&str, &str),
        command: AnyCommand,
        caller: Caller,
    ) -> Order {
        let id = self.fresh_id();
        Order {
            key: CommandKey { scope: caller.actor.id, id, fingerprint: [0; 32] },
            stream,
            kind: kind.to_owned(),
            name: name.to_owned(),
            command,
            occurred_at: None,
            causation_id: None,
            if_match: None,
            dry_run: false,
            sent_before: false,
            seed: self.fresh_id(),
            secrets: Vec::new(),
            caller,
            predecessors: Predecessors::default(),
            progress: Progress::default(),
        }
    }
}

fn take<T: serde::de::DeserializeOwned>(
    fields: &mut Map<String, Value>,
    name: &str,
    expected: &str,
) -> Result<Option<T>, CommandError> {
    let Some(value) = fields.remove(name) else { return Ok(None) };
    serde_json::from_value(value).map(Some).map_err(|error| CommandError::Invalid {
        pointer: format!("/{name}"),
        detail: format!("{name} must be {expected}: {error}"),
    })
}

/// SHA-256 of what was asked. Passwords and the values of secret settings are
/// left out: a fast hash of one must not be stored, so a retry that differs in
/// nothing but the secret is taken for the same command.
fn fingerprint(
    intake: &Intake,
    stream: Option<Uuid>,
    occurred_at: Option<DateTime<Utc>>,
) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [&intake.kind, &intake.name] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.update(stream.unwrap_or_default().as_bytes());
    hash.update(occurred_at.map_or(0, |time| time.timestamp_micros()).to_be_bytes());
    let mut fields: Vec<_> = intake.fields.iter().collect();
    fields.sort_unstable_by_key(|(name, _)| *name);
    for (name, value) in fields {
        hash.update(name.as_bytes());
        hash.update([0]);
        if !secrets::is_secret_field(name) && !setting::hides(intake, name) {
            hash.update(value.to_string().as_bytes());
        }
        hash.update([0]);
    }
    hash.finalize().into()
}
