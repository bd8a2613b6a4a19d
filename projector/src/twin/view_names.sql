-- The views that read the tables $1 of the schema $2, directly or through another such view; what is
-- looked at through others comes last, as who reads a view has it locked before what it reads.
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
SELECT format('%I.%I', n.nspname, v.relname)
FROM (SELECT oid, max(depth) AS depth FROM found WHERE depth > 0 GROUP BY oid) f
JOIN pg_class v ON v.oid = f.oid
JOIN pg_namespace n ON n.oid = v.relnamespace
ORDER BY f.depth DESC, v.oid
