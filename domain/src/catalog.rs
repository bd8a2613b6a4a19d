//! The table of contents of the write side: every aggregate with its path,
//! its commands and its events. Routes, documentation and tests follow from it.

use crate::aggregate::Aggregate;
use crate::banking::account::Account;
use crate::content::comment::Comment;
use crate::content::post::Post;
use crate::contracts::api_contract::ApiContract;
use crate::contracts::governance_rule::GovernanceRule;
use crate::contracts::rulebook::Rulebook;
use crate::datacentre::server::Server;
use crate::datacentre::usage::Usage;
use crate::identity::admins::Admins;
use crate::identity::api_key::ApiKey;
use crate::identity::permission::Permission;
use crate::identity::role::Role;
use crate::identity::session::Session;
use crate::identity::user::User;
use crate::message::{CommandMessage, EventMessage, MessageType};
use crate::open_banking::aisp_account::AispAccount;
use crate::organizations::billing_account::BillingAccount;
use crate::organizations::organization::Organization;
use crate::organizations::resource::Resource;
use crate::platform::notification::Notification;
use crate::platform::setting::Setting;
use crate::recycling::collection::Collection;
use crate::services::service::Service;
use crate::services::subscription::Subscription;
use crate::support::asset::Asset;
use crate::support::ticket::Ticket;

/// What there is to know about an aggregate without knowing its type.
#[derive(Debug, Clone, Copy)]
pub struct AggregateEntry {
    /// `context.aggregate`, such as `banking.account`.
    pub kind: &'static str,
    /// Its path below the version, such as `banking/accounts`; `None` where
    /// nobody asks it from outside.
    pub path: Option<&'static str>,
    /// The command that begins a stream of it.
    pub creates: &'static str,
    /// Its commands.
    pub commands: &'static [MessageType],
    /// Its events.
    pub events: &'static [MessageType],
}

const fn entry<A: Aggregate>(path: Option<&'static str>, creates: &'static str) -> AggregateEntry {
    AggregateEntry {
        kind: A::KIND,
        path,
        creates,
        commands: A::Command::TYPES,
        events: A::Event::TYPES,
    }
}

/// Every aggregate, by context.
pub const AGGREGATES: &[AggregateEntry] = &[
    entry::<User>(Some("identity/users"), "register"),
    entry::<Admins>(None, "add"),
    entry::<Permission>(Some("identity/permissions"), "define"),
    entry::<Role>(Some("identity/roles"), "create"),
    entry::<Session>(Some("identity/sessions"), "open"),
    entry::<ApiKey>(Some("identity/api_keys"), "issue"),
    entry::<Organization>(Some("organizations/organizations"), "create"),
    entry::<BillingAccount>(Some("organizations/billing_accounts"), "open"),
    entry::<Resource>(Some("organizations/resources"), "create"),
    entry::<Post>(Some("content/posts"), "draft"),
    entry::<Comment>(Some("content/comments"), "write"),
    entry::<Service>(Some("services/services"), "register"),
    entry::<Subscription>(Some("services/subscriptions"), "subscribe"),
    entry::<Account>(Some("banking/accounts"), "open"),
    entry::<AispAccount>(Some("open_banking/accounts"), "link"),
    entry::<Collection>(Some("recycling/collections"), "schedule"),
    entry::<Ticket>(Some("support/tickets"), "open"),
    entry::<Asset>(Some("support/assets"), "register"),
    entry::<Setting>(Some("platform/settings"), "set"),
    entry::<Notification>(Some("platform/notifications"), "notify"),
    entry::<Server>(Some("datacentre/servers"), "provision"),
    entry::<Usage>(None, "record"),
    entry::<ApiContract>(Some("contracts/api_contracts"), "register"),
    entry::<GovernanceRule>(Some("contracts/governance_rules"), "define"),
    entry::<Rulebook>(None, "enforce"),
];

/// The aggregate of this kind.
#[must_use]
pub fn by_kind(kind: &str) -> Option<&'static AggregateEntry> {
    AGGREGATES.iter().find(|entry| entry.kind == kind)
}

/// The aggregate under this path.
#[must_use]
pub fn by_path(path: &str) -> Option<&'static AggregateEntry> {
    AGGREGATES.iter().find(|entry| entry.path == Some(path))
}

/// The event of this full type.
#[must_use]
pub fn event(name: &str) -> Option<&'static MessageType> {
    let (kind, _) = name.rsplit_once('.')?;
    by_kind(kind)?.events.iter().find(|event| event.name == name)
}

#[cfg(test)]
mod tests;
