-- Who this connection is, and whether row-level policies bind it. One row.
-- Membership counts as much as ownership: who may become the owner may see through its policies.
SELECT
    session_user::text AS session_name,
    current_user::text AS current_name,
    bool_or(r.rolsuper) AS is_superuser,
    bool_or(r.rolbypassrls) AS bypasses_policies,
    (
        SELECT min(format('%I.%I', n.nspname, c.relname))
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm')
          AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
          AND n.nspname NOT LIKE 'pg\_temp%'
          AND (pg_has_role(session_user, c.relowner, 'MEMBER') OR pg_has_role(current_user, c.relowner, 'MEMBER'))
    ) AS owned_table
FROM pg_roles r
WHERE r.rolname IN (session_user, current_user)
