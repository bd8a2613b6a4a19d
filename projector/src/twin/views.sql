-- The views that read the tables $1 of the schema $2, directly or through another such view, and how
-- to make them again as they are: asked before the tables change places, so that their text names them.
-- A view comes after those that it reads.
WITH RECURSIVE found AS (
    SELECT c.oid, 0 AS depth
    FROM pg_class c WHERE c.relnamespace = to_regnamespace($2::text) AND c.relname = ANY ($1::text[])
    UNION
    SELECT v.oid, f.depth + 1
    FROM found f
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = f.oid AND d.classid = 'pg_rewrite'::regclass
    JOIN pg_rewrite r ON r.oid = d.objid
    JOIN pg_class v ON v.oid = r.ev_class AND v.relkind = 'v' AND v.oid <> f.oid
)
SELECT format('%I.%I', n.nspname, v.relname),
       format('CREATE OR REPLACE VIEW %I.%I%s AS %s', n.nspname, v.relname,
              CASE WHEN v.reloptions IS NOT NULL THEN ' WITH (' || array_to_string(v.reloptions, ', ') || ')' ELSE '' END,
              pg_get_viewdef(v.oid))
FROM (SELECT oid, max(depth) AS depth FROM found WHERE depth > 0 GROUP BY oid) f
JOIN pg_class v ON v.oid = f.oid
JOIN pg_namespace n ON n.oid = v.relnamespace
ORDER BY f.depth, v.oid
