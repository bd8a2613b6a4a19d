//! A row of every read table for each of two people in two organizations, put there past every
//! constraint between tables: for tests of who sees what, and of what triggers do.
//!
//! Ids of what is Ada's, or her organization's, begin with `aaaaaaaa`, Bob's with `bbbbbbbb`. Carol,
//! whose id begins with `cccccccc`, is a member of Ada's organization and has nothing of her own.

use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

/// Whose a table's rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// A user's own.
    User,
    /// An organization's: for members who read on its behalf.
    Organization,
    /// A user's own, and their organization's.
    UserAndOrganization,
    /// A person's: for themselves and whom they share an organization with.
    Fellows,
    /// The organization itself: for its members.
    Members,
    /// Nobody's in particular: whoever may read the table reads all of it.
    Everybody,
    /// The house's: for those who read everything.
    Staff,
}

/// A read table, and how one row of it is made.
#[derive(Debug, Clone, Copy)]
pub struct TableRows {
    /// The table.
    pub table: &'static str,
    /// Whose its rows are.
    pub whose: Whose,
    /// A column with an id that begins as its owner's ids do.
    pub mark: &'static str,
    /// Columns and values; `{a}` stands for the first 24 characters of an owner's ids, `{n}` for a
    /// text that is the owner's alone.
    insert: (&'static str, &'static str),
}

/// What an owner's ids begin with.
#[must_use]
pub fn start(owner: &str) -> String {
    let letter = owner.chars().next().unwrap_or('a').to_ascii_lowercase();
    format!("{}-0000-4000-8000-", letter.to_string().repeat(8))
}

/// The id of an owner (`ada`, `bob`, `carol`).
///
/// # Panics
/// Never: it is an id.
#[must_use]
pub fn person(owner: &str) -> Uuid {
    format!("{}000000000001", start(owner)).parse().expect("an id")
}

/// The id of the organization of an owner.
///
/// # Panics
/// Never: it is an id.
#[must_use]
pub fn organization(owner: &str) -> Uuid {
    format!("{}000000000002", start(owner)).parse().expect("an id")
}

const fn rows(
    table: &'static str,
    whose: Whose,
    mark: &'static str,
    columns: &'static str,
    values: &'static str,
) -> TableRows {
    TableRows { table, whose, mark, insert: (columns, values) }
}

/// Every read table, parents first.
pub const TABLES: &[TableRows] = &[
    rows(
        "users",
        Whose::Fellows,
        "id",
        "id, username, email, full_name, first_name, last_name, password_hash",
        "'{a}000000000001', '{n}', '{n}@example.org', '{n} Person', '{n}', 'Person', 'hash of {n}'",
    ),
    rows(
        "user_identifiers",
        Whose::Fellows,
        "user_id",
        "kind, key, user_id",
        "'username', '{n}', '{a}000000000001'",
    ),
    rows(
        "user_profiles",
        Whose::Fellows,
        "user_id",
        "id, user_id, bio",
        "'{a}000000000001', '{a}000000000001', 'words of {n}'",
    ),
    rows(
        "api_keys",
        Whose::User,
        "user_id",
        "id, user_id, name, prefix, secret_hash, scopes",
        "'{a}000000000003', '{a}000000000001', '{n}', 'dbk_{n}', 'hash of {n}', '{}'",
    ),
    rows("organizations", Whose::Members, "id", "id, name", "'{a}000000000002', '{n}'"),
    rows(
        "org_members",
        Whose::UserAndOrganization,
        "org_id",
        "org_id, user_id, role",
        "'{a}000000000002', '{a}000000000001', 'owner'",
    ),
    rows(
        "permissions",
        Whose::Everybody,
        "id",
        "id, name, resource, action",
        "'{a}000000000006', '{n}', '{n}', 'read'",
    ),
    rows("roles", Whose::Everybody, "id", "id, name", "'{a}000000000007', '{n}'"),
    rows(
        "role_permissions",
        Whose::Everybody,
        "role_id",
        "role_id, permission_id",
        "'{a}000000000007', '{a}000000000006'",
    ),
    rows(
        "user_roles",
        Whose::User,
        "user_id",
        "user_id, role_id",
        "'{a}000000000001', '{a}000000000007'",
    ),
    rows(
        "billing_accounts",
        Whose::Organization,
        "org_id",
        "id, org_id, billing_email, company_name",
        "'{a}000000000008', '{a}000000000002', '{n}@example.org', '{n}'",
    ),
    rows(
        "resources",
        Whose::Organization,
        "org_id",
        "id, org_id, name, type",
        "'{a}000000000009', '{a}000000000002', '{n}', 'document'",
    ),
    rows(
        "resource_metadata",
        Whose::Organization,
        "resource_id",
        "resource_id, data",
        r#"'{a}000000000009', '{"tier": "premium"}'"#,
    ),
    rows(
        "posts",
        Whose::User,
        "user_id",
        "id, user_id, title, content",
        "'{a}000000000012', '{a}000000000001', 'Draft', 'unfinished'",
    ),
    rows(
        "comments",
        Whose::User,
        "user_id",
        "id, post_id, user_id, content",
        "'{a}000000000013', '{a}000000000012', '{a}000000000001', 'mine'",
    ),
    rows("services", Whose::Everybody, "id", "id, name, type", "'{a}000000000014', '{n}', 'x'"),
    rows(
        "service_subscriptions",
        Whose::User,
        "user_id",
        "id, user_id, service_id, plan",
        "'{a}000000000015', '{a}000000000001', '{a}000000000014', 'free'",
    ),
    rows(
        "sessions",
        Whose::User,
        "user_id",
        "id, user_id, org_id, token_hash, expires_at",
        "'{a}000000000016', '{a}000000000001', '{a}000000000002', 'hash of {n}', 'tomorrow'",
    ),
    rows(
        "support_tickets",
        Whose::User,
        "user_id",
        "id, user_id, title, description",
        "'{a}000000000017', '{a}000000000001', 'Help', 'It does not work'",
    ),
    rows(
        "it_assets",
        Whose::User,
        "assigned_to",
        "id, asset_tag, asset_type, assigned_to, status, assigned_at",
        "'{a}000000000018', '{n}', 'laptop', '{a}000000000001', 'assigned', 'today'",
    ),
    rows(
        "aisp_accounts",
        Whose::User,
        "user_id",
        "id, user_id, bank_id, account_id, account_type, currency",
        "'{a}000000000019', '{a}000000000001', 'bank', '{n}', 'current', 'EUR'",
    ),
    rows(
        "aisp_transactions",
        Whose::User,
        "account_id",
        "id, account_id, transaction_id, amount, currency, transaction_date",
        "'{a}000000000020', '{a}000000000019', '{n}', -1, 'EUR', 'today'",
    ),
    rows(
        "recycling_collections",
        Whose::User,
        "customer_id",
        "id, customer_id, collection_type, scheduled_date, location_address",
        "'{a}000000000021', '{a}000000000001', 'glass', 'today', 'at home'",
    ),
    rows(
        "recycling_processing",
        Whose::User,
        "collection_id",
        "id, collection_id, material_type, weight_kg, processing_date",
        "'{a}000000000022', '{a}000000000021', 'glass', 1, 'today'",
    ),
    rows(
        "dc_servers",
        Whose::User,
        "customer_id",
        "id, hostname, ip_address, server_type, customer_id",
        "'{a}000000000023', '{n}', '192.0.2.1', 'virtual', '{a}000000000001'",
    ),
    rows(
        "dc_usage_metrics",
        Whose::User,
        "server_id",
        "id, server_id, metric_type, value, unit, recorded_at",
        "'{a}000000000024', '{a}000000000023', 'cpu', 1, 'percent', now()",
    ),
    rows(
        "ssot_api_contracts",
        Whose::Staff,
        "id",
        "id, canonical_name, version, base_url, created_by, updated_by",
        "'{a}000000000025', '{n}', '1.0.0', 'https://example.org', '{n}', '{n}'",
    ),
    rows(
        "ssot_api_aliases",
        Whose::Staff,
        "contract_id",
        "id, contract_id, alias_name, context, created_by, updated_by",
        "'{a}000000000026', '{a}000000000025', '{n}', 'tests', '{n}', '{n}'",
    ),
    rows(
        "ssot_governance_rules",
        Whose::Staff,
        "id",
        "id, rule_name, rule_kind, definition, severity, created_by, updated_by",
        r#"'{a}000000000027', '{n}', 'https_only', '{"kind": "https_only"}', 'error', '{n}', '{n}'"#,
    ),
    rows(
        "accounts",
        Whose::User,
        "user_id",
        "id, user_id, account_name, account_type, account_number",
        "'{a}000000000004', '{a}000000000001', '{n}', 'checking', '{n}'",
    ),
    rows(
        "transactions",
        Whose::User,
        "account_id",
        "id, account_id, transaction_type, direction, amount, currency",
        "'{a}000000000005', '{a}000000000004', 'deposit', 'credit', 1, 'EUR'",
    ),
    rows(
        "system_settings",
        Whose::Staff,
        "id",
        "id, key, value",
        r#"'{a}000000000010', '{n}', '"x"'"#,
    ),
    rows(
        "notifications",
        Whose::User,
        "user_id",
        "id, user_id, title",
        "'{a}000000000011', '{a}000000000001', 'Hello'",
    ),
    rows(
        "ssot_audit_logs",
        Whose::Staff,
        "entity_id",
        "id, action, entity_type, entity_id, changed_by",
        "ascii('{n}'), 'INSERT', 'ssot_api_contracts', '{a}000000000025', '{n}'",
    ),
    rows(
        "audit_logs",
        Whose::User,
        "entity_id",
        "id, user_id, action, entity_type, entity_id",
        "ascii('{n}'), '{a}000000000001', 'INSERT', 'accounts', '{a}000000000004'",
    ),
];

/// Puts every table's rows there. `connection` is a superuser's.
///
/// # Panics
/// When a row is not as its table wants it.
pub async fn put(connection: &mut PgConnection) {
    run("SET session_replication_role = replica".to_owned(), connection).await;
    for rows in TABLES {
        for owner in ["ada", "bob"] {
            put_one(rows, owner, connection).await;
        }
    }
    for carols in ["users", "user_identifiers", "user_profiles"] {
        let rows = TABLES.iter().find(|rows| rows.table == carols).expect("a table");
        put_one(rows, "carol", connection).await;
    }
    let membership = format!(
        "INSERT INTO public.org_members (org_id, user_id, role) VALUES ('{}', '{}', 'member')",
        organization("ada"),
        person("carol")
    );
    run(membership, connection).await;
    run("RESET session_replication_role".to_owned(), connection).await;
}

/// Puts a row of Ada's and one of Bob's into each table that is there: for schemas of the past.
///
/// # Panics
/// When a row is not as its table wants it.
pub async fn put_where_there(connection: &mut PgConnection) {
    run("SET session_replication_role = replica".to_owned(), connection).await;
    for rows in TABLES {
        let there: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
            .bind(format!("public.{}", rows.table))
            .fetch_one(&mut *connection)
            .await
            .expect("the catalogue");
        if there {
            put_one(rows, "ada", connection).await;
            put_one(rows, "bob", connection).await;
        }
    }
    run("RESET session_replication_role".to_owned(), connection).await;
}

async fn put_one(rows: &TableRows, owner: &str, connection: &mut PgConnection) {
    let (columns, values) = rows.insert;
    let values = values.replace("{a}", &start(owner)).replace("{n}", owner);
    let table = rows.table;
    run(format!("INSERT INTO public.{table} ({columns}) VALUES ({values})"), connection).await;
}

async fn run(statement: String, connection: &mut PgConnection) {
    sqlx::raw_sql(AssertSqlSafe(statement.clone()))
        .execute(connection)
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
}
