//! The comparison sees what is broken: each break is made, seen under its name, and taken back.

use std::collections::BTreeSet;

use sqlx::Connection as _;

use super::{documents, filled, rows};

/// What is done to the database, and what must be complained of.
const BREAKS: &[(&str, &str)] = &[
    ("ALTER TABLE public.users DROP COLUMN phone CASCADE", "users.phone: is not there"),
    (
        "ALTER TABLE public.accounts ALTER currency TYPE varchar(4)",
        "accounts.currency type: is character varying(4), not character varying(3)",
    ),
    (
        "ALTER TABLE public.accounts ALTER account_name DROP NOT NULL",
        "accounts.account_name null: may be null",
    ),
    (
        "ALTER TABLE public.accounts ALTER currency SET DEFAULT 'EUR'",
        "accounts.currency default: defaults to 'EUR'::character varying, not 'USD'::character varying",
    ),
    (
        "ALTER TABLE public.accounts DROP CONSTRAINT accounts_account_number_key",
        "accounts unique (account_number): is not unique",
    ),
    (
        "ALTER TABLE public.transactions DROP CONSTRAINT transactions_account_id_fkey",
        "transactions.account_id refers to accounts: does not",
    ),
    ("DROP INDEX public.idx_users_status", "users index idx_users_status (status): is not there"),
    (
        "DROP INDEX public.idx_accounts_created_by",
        "index for accounts.accounts_created_by_fkey: is not there",
    ),
    (
        "ALTER TABLE public.users DROP CONSTRAINT chk_email_format",
        "users constraint chk_email_format: is not there under its name",
    ),
    (
        "ALTER TABLE public.users DROP CONSTRAINT chk_users_role; ALTER TABLE public.users ADD CHECK (role <> 'admin')",
        "users.role is one of admin, manager, user, viewer, auditor: takes manager, user, viewer, auditor, something else",
    ),
    (
        "DROP TRIGGER update_users_updated_at ON public.users",
        "trigger update_users_updated_at on users: is not there",
    ),
    (
        "DROP TRIGGER update_accounts_updated_at ON public.accounts",
        "accounts keeps updated_at: a change by hand leaves the time that it says",
    ),
    (
        "ALTER TABLE public.posts DISABLE TRIGGER log_posts_changes",
        "posts audits changes by hand: 0 lines tell of one change by hand",
    ),
    (
        "ALTER POLICY user_accounts_policy ON public.aisp_accounts USING (true)",
        "policy user_accounts_policy on aisp_accounts: shows 1 of one's own rows and 1 of others",
    ),
    (
        "ALTER POLICY resources_policy ON public.resources USING (org_id IS NOT NULL)",
        "users see their organization's rows: shows ada 1 of ada's organization and 1 others",
    ),
    (
        "CREATE OR REPLACE FUNCTION public.update_updated_at() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "function update_updated_at(): sets no time",
    ),
    (
        "CREATE OR REPLACE FUNCTION public.log_ssot_changes() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "function log_ssot_changes(): 0 lines tell of 2 changes",
    ),
    (
        "ALTER TABLE public.users_p0 RENAME TO users_p0_away",
        "partition users_p0 of users: is not there",
    ),
];

#[tokio::test]
async fn what_is_broken_is_seen() {
    let Some(documents) = documents() else { return };
    let database = filled().await;
    let mut connection = database.superuser().await;
    let complaints = |rows: Vec<super::Row>| -> BTreeSet<String> {
        rows.into_iter()
            .filter_map(|row| Some(format!("{}: {}", row.thing, row.complaint?)))
            .collect()
    };
    let whole = complaints(rows(&documents, &mut connection).await);
    let apart = BREAKS.iter().filter(|(_, complaint)| whole.contains(*complaint));
    assert_eq!(apart.count(), 0, "something is broken already: {whole:?}");
    // In one go: what is asked of the catalogue for each of them would take minutes.
    for (statement, _) in BREAKS {
        let mut one = connection.begin().await.unwrap();
        sqlx::raw_sql(*statement)
            .execute(&mut *one)
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error}"));
        one.commit().await.unwrap();
    }
    let broken = complaints(rows(&documents, &mut connection).await);
    for (statement, complaint) in BREAKS {
        assert!(broken.contains(*complaint), "after {statement}, not {complaint:?}: {broken:#?}");
    }
}
