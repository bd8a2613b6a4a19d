-- Each design document's own picture of a table that is called or shaped otherwise here: a view in a
-- schema of the document's name, and only where `public` cannot serve as it is. With the search_path
-- `<document>, public, pg_catalog` every query that the document prints runs as it is printed.
-- All are security_invoker: whoever reads one sees the rows that the tables' policies show them.
-- No view has the hash of a secret in it: readers may read all of each.
CREATE SCHEMA oakford;
CREATE SCHEMA application;
CREATE SCHEMA saas;
CREATE SCHEMA nexus;

-- PostgreSQL calls these columns relname and indexrelname.
CREATE VIEW oakford.pg_stat_user_tables WITH (security_invoker = true) AS
SELECT s.*, s.relname AS tablename FROM pg_catalog.pg_stat_user_tables s;
CREATE VIEW oakford.pg_stat_user_indexes WITH (security_invoker = true) AS
SELECT s.*, s.relname AS tablename, s.indexrelname AS indexname FROM pg_catalog.pg_stat_user_indexes s;

-- A resource is its organization's; the user of one is who made it.
CREATE VIEW application.resources WITH (security_invoker = true) AS
SELECT r.*, r.created_by AS user_id, CASE WHEN r.deleted_at IS NULL THEN 'active' ELSE 'deleted' END AS status
FROM public.resources r;

CREATE VIEW saas.users WITH (security_invoker = true) AS
SELECT u.id AS user_id, u.email, u.name, u.created_at, u.updated_at, u.status, u.deleted_at FROM public.users u;
CREATE VIEW saas.organizations WITH (security_invoker = true) AS
SELECT o.id AS org_id, o.name, o.created_at, o.updated_at, o.plan_tier, o.deleted_at FROM public.organizations o;
CREATE VIEW saas.resources WITH (security_invoker = true) AS
SELECT r.id AS resource_id, r.org_id, r.name, r.type, r.created_at, r.updated_at, r.deleted_at, m.data AS metadata
FROM public.resources r
LEFT JOIN public.resource_metadata m ON m.resource_id = r.id;

-- What the migrator has written down.
CREATE VIEW public.schema_migrations WITH (security_invoker = true) AS
SELECT m.version::varchar(20) AS version, m.installed_on AS applied_at FROM public._sqlx_migrations m WHERE m.success;
GRANT SELECT (version, installed_on, success) ON public._sqlx_migrations
    TO daybook_projector, application_role, daybook_analyst, daybook_auditor;

GRANT USAGE ON SCHEMA oakford, application, saas, nexus TO daybook_projector, application_role, daybook_analyst, daybook_auditor;
GRANT SELECT ON ALL TABLES IN SCHEMA oakford, application, saas TO daybook_projector, application_role, daybook_analyst, daybook_auditor;
GRANT SELECT ON public.schema_migrations TO daybook_projector, application_role, daybook_analyst, daybook_auditor;
