-- Shows it to auditors, and to nobody else.
ALTER TABLE {schema}.changes ADD PRIMARY KEY (table_name, key);
CREATE INDEX changes_position ON {schema}.changes (position);
CREATE INDEX changes_actor ON {schema}.changes (actor_id);
CREATE VIEW {schema}.counts WITH (security_invoker = true) AS
SELECT table_name, tenant_id, actor_id, count(*) FILTER (WHERE became = 'added') AS added,
    count(*) FILTER (WHERE became = 'changed') AS changed, count(*) FILTER (WHERE became = 'removed') AS removed
FROM {schema}.changes GROUP BY table_name, tenant_id, actor_id ORDER BY table_name, tenant_id, actor_id;
ANALYZE {schema}.changes;
GRANT SELECT ON {schema}.changes, {schema}.counts TO daybook_auditor;
GRANT USAGE ON SCHEMA {schema} TO daybook_auditor
