//! The table of contents of the read side: one line a table, one line a projection.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use daybook_domain::banking::account::AccountEvent;
use daybook_domain::content::comment::CommentEvent;
use daybook_domain::content::post::PostEvent;
use daybook_domain::contracts::api_contract::ApiContractEvent;
use daybook_domain::contracts::governance_rule::GovernanceRuleEvent;
use daybook_domain::contracts::rulebook::RulebookEvent;
use daybook_domain::datacentre::server::ServerEvent;
use daybook_domain::datacentre::usage::UsageEvent;
use daybook_domain::identity::admins::AdminsEvent;
use daybook_domain::identity::api_key::ApiKeyEvent;
use daybook_domain::identity::permission::PermissionEvent;
use daybook_domain::identity::role::RoleEvent;
use daybook_domain::identity::session::SessionEvent;
use daybook_domain::identity::user::UserEvent;
use daybook_domain::message::{DecodeError, EventMessage};
use daybook_domain::open_banking::aisp_account::AispAccountEvent;
use daybook_domain::organizations::billing_account::BillingAccountEvent;
use daybook_domain::organizations::organization::OrganizationEvent;
use daybook_domain::organizations::resource::ResourceEvent;
use daybook_domain::platform::notification::NotificationEvent;
use daybook_domain::platform::setting::SettingEvent;
use daybook_domain::recycling::collection::CollectionEvent;
use daybook_domain::services::service::ServiceEvent;
use daybook_domain::services::subscription::SubscriptionEvent;
use daybook_domain::support::asset::AssetEvent;
use daybook_domain::support::ticket::TicketEvent;
use daybook_store::Recorded;
use daybook_store::kafka::RowRecord;
use sqlx::PgConnection;

use crate::banking::account::{self, AccountRow, TransactionRow};
use crate::between::{self, By, Net, NetRow};
use crate::content::comment::{self, CommentRow};
use crate::content::post::{self, PostRow};
use crate::contracts::api_contract::{self, ApiAliasRow, ApiContractRow};
use crate::contracts::audit_log::SsotAuditLogRow;
use crate::contracts::governance_rule::{self, GovernanceRuleRow};
use crate::contracts::rulebook;
use crate::datacentre::server::{self, ServerRow};
use crate::datacentre::usage::{self, UsageMetricRow};
use crate::identity::admins;
use crate::identity::api_key::{self, ApiKeyRow};
use crate::identity::permission::{self, PermissionRow};
use crate::identity::role::{self, RolePermissionRow, RoleRow};
use crate::identity::session::{self, SessionRow};
use crate::identity::user::{self, UserIdentifierRow, UserProfileRow, UserRoleRow, UserRow};
use crate::open_banking::aisp_account::{self, AispAccountRow, AispTransactionRow};
use crate::organizations::billing_account::{self, BillingAccountRow};
use crate::organizations::organization::{self, OrgMemberRow, OrganizationRow};
use crate::organizations::resource::{self, ResourceMetadataRow, ResourceRow};
use crate::platform::audit_log::{AuditLogRow, Trail};
use crate::platform::notification::{self, NotificationRow};
use crate::platform::setting::{self, SystemSettingRow};
use crate::recycling::collection::{self, RecyclingCollectionRow, RecyclingProcessingRow};
use crate::row_topics::{self, Form};
use crate::rows::{Fault, SeenRow, TableRows, TouchedKeys};
use crate::services::service::{self, ServiceRow};
use crate::services::subscription::{self, SubscriptionRow};
use crate::support::asset::{self, ItAssetRow};
use crate::support::ticket::{self, SupportTicketRow};
use crate::table::{ColumnName, Period, Row, Statements};
use crate::write;

/// The name under which the whole read model keeps its checkpoints: one name, or "posted" would be
/// ambiguous.
pub const NAME: &str = "read_model";
/// The version of the read model; another one is another set of checkpoints.
pub const VERSION: i32 = 1;

read_model! {
    // Parents before children: rows are made in this order and removed in the other.
    tables {
        users: UserRow,
        user_identifiers: UserIdentifierRow,
        permissions: PermissionRow,
        roles: RoleRow,
        role_permissions: RolePermissionRow,
        user_profiles: UserProfileRow,
        user_roles: UserRoleRow,
        api_keys: ApiKeyRow,
        organizations: OrganizationRow,
        org_members: OrgMemberRow,
        sessions: SessionRow,
        billing_accounts: BillingAccountRow,
        resources: ResourceRow,
        resource_metadata: ResourceMetadataRow,
        posts: PostRow,
        comments: CommentRow,
        services: ServiceRow,
        service_subscriptions: SubscriptionRow,
        accounts: AccountRow,
        transactions: TransactionRow,
        aisp_accounts: AispAccountRow,
        aisp_transactions: AispTransactionRow,
        recycling_collections: RecyclingCollectionRow,
        recycling_processing: RecyclingProcessingRow,
        support_tickets: SupportTicketRow,
        it_assets: ItAssetRow,
        dc_servers: ServerRow,
        dc_usage_metrics: UsageMetricRow,
        ssot_api_contracts: ApiContractRow,
        ssot_api_aliases: ApiAliasRow,
        ssot_governance_rules: GovernanceRuleRow,
        ssot_audit_logs: SsotAuditLogRow,
        system_settings: SystemSettingRow,
        notifications: NotificationRow,
    }
    // Each with the tables whose rows it makes.
    projections {
        "identity.user" => User(user, UserEvent) in [users, user_identifiers, user_profiles, user_roles],
        "identity.admins" => Admins(admins, AdminsEvent) in [],
        "identity.permission" => Permission(permission, PermissionEvent) in [permissions],
        "identity.role" => Role(role, RoleEvent) in [roles, role_permissions],
        "identity.session" => Session(session, SessionEvent) in [sessions],
        "identity.api_key" => ApiKey(api_key, ApiKeyEvent) in [api_keys],
        "organizations.organization" => Organization(organization, OrganizationEvent) in [organizations, org_members],
        "organizations.billing_account" => BillingAccount(billing_account, BillingAccountEvent) in [billing_accounts],
        "organizations.resource" => Resource(resource, ResourceEvent) in [resources, resource_metadata],
        "content.post" => Post(post, PostEvent) in [posts],
        "content.comment" => Comment(comment, CommentEvent) in [comments],
        "services.service" => Service(service, ServiceEvent) in [services],
        "services.subscription" => Subscription(subscription, SubscriptionEvent) in [service_subscriptions],
        "banking.account" => Account(account, AccountEvent) in [accounts, transactions],
        "open_banking.aisp_account" => AispAccount(aisp_account, AispAccountEvent) in [aisp_accounts, aisp_transactions],
        "recycling.collection" => Collection(collection, CollectionEvent) in [recycling_collections, recycling_processing],
        "support.ticket" => Ticket(ticket, TicketEvent) in [support_tickets],
        "support.asset" => Asset(asset, AssetEvent) in [it_assets],
        "datacentre.server" => Server(server, ServerEvent) in [dc_servers],
        "datacentre.usage" => Usage(usage, UsageEvent) in [dc_usage_metrics],
        "contracts.api_contract" => ApiContract(api_contract, ApiContractEvent) in [ssot_api_contracts, ssot_api_aliases, ssot_audit_logs],
        "contracts.governance_rule" => GovernanceRule(governance_rule, GovernanceRuleEvent) in [ssot_governance_rules, ssot_audit_logs],
        "contracts.rulebook" => Rulebook(rulebook, RulebookEvent) in [],
        "platform.setting" => Setting(setting, SettingEvent) in [system_settings],
        "platform.notification" => Notification(notification, NotificationEvent) in [notifications],
    }
}

/// What is known of a projection without its functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProjectionInfo {
    /// Its name, which is the kind of the streams that it posts.
    pub kind: &'static str,
    /// The tables whose rows it makes; none, where its events are for decisions alone.
    pub tables: &'static [&'static str],
}

/// What is known of a read table without its rows.
#[derive(Debug, Clone, Copy)]
pub struct TableInfo {
    /// Its name.
    pub name: &'static str,
    /// The columns that projections write.
    pub columns: &'static [ColumnName],
    /// Its key, without the partition's column.
    pub key: &'static [&'static str],
    /// The column that `audit_logs.entity_id` shows.
    pub entity: &'static str,
    /// The column by whose month or week it is partitioned.
    pub month: Option<&'static str>,
}

impl TableInfo {
    /// What is known of `R`'s table.
    #[must_use]
    pub const fn of<R: Row>() -> Self {
        Self {
            name: R::TABLE,
            columns: R::COLUMNS,
            key: R::KEY,
            entity: R::ENTITY,
            month: R::MONTH,
        }
    }
}

/// A month or week of a partitioned table, by its first day.
pub type Month = (&'static str, NaiveDate);

/// The partition of `R`'s table that holds what is of `at`.
pub(crate) fn month_of<R: Row>(at: DateTime<Utc>) -> Month {
    let date = at.date_naive();
    let first = match R::PERIOD {
        Period::Month => date.with_day(1),
        Period::Week => {
            date.checked_sub_days(Days::new(u64::from(date.weekday().num_days_from_monday())))
        }
    };
    (R::TABLE, first.unwrap_or(date))
}
