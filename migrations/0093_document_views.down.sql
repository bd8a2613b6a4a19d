DROP VIEW public.schema_migrations;
REVOKE SELECT (version, installed_on, success) ON public._sqlx_migrations
    FROM daybook_projector, application_role, daybook_analyst, daybook_auditor;
DROP VIEW saas.resources;
DROP VIEW saas.organizations;
DROP VIEW saas.users;
DROP VIEW application.resources;
DROP VIEW oakford.pg_stat_user_indexes;
DROP VIEW oakford.pg_stat_user_tables;
DROP SCHEMA nexus;
DROP SCHEMA saas;
DROP SCHEMA application;
DROP SCHEMA oakford;
