-- How to make the keys and indexes of the tables $1 of `public` once more in the schema $2: primary
-- keys first, then what else is unique, then the indexes that no constraint owns. A partitioned
-- table's are shown as they are on it alone; made again, they are for its partitions too.
WITH wanted AS (
    SELECT c.oid, c.relname, t.turn
    FROM unnest($1::text[]) WITH ORDINALITY AS t (name, turn)
    JOIN pg_class c ON c.relname = t.name AND c.relnamespace = 'public'::regnamespace
)
SELECT relname::text, step = 1 AS is_primary, is_unique, statement
FROM (
    SELECT CASE c.contype WHEN 'p' THEN 1 ELSE 2 END AS step, w.turn, w.relname, c.conname AS name, true AS is_unique,
           format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', $2::text, w.relname, c.conname, pg_get_constraintdef(c.oid)) AS statement
    FROM wanted w
    JOIN pg_constraint c ON c.conrelid = w.oid AND c.contype IN ('p', 'u', 'x')
    UNION ALL
    SELECT 3, w.turn, w.relname, x.relname, i.indisunique,
           regexp_replace(pg_get_indexdef(i.indexrelid), ' ON (ONLY )?public\.', format(' ON %I.', $2))
    FROM wanted w
    JOIN pg_index i ON i.indrelid = w.oid
    JOIN pg_class x ON x.oid = i.indexrelid
    WHERE NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x'))
) AS s
ORDER BY step, turn, name
