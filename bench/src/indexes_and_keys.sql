WITH wanted AS (
    SELECT format('public.%I', t)::regclass AS id FROM unnest($1::text[]) AS t
)
SELECT drop_it, make_it FROM (
    SELECT CASE c.contype WHEN 'f' THEN 1 ELSE 3 END AS turn, c.conname::text AS name,
        format('ALTER TABLE %s DROP CONSTRAINT %I', c.conrelid::regclass, c.conname) AS drop_it,
        format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid)) AS make_it
    FROM pg_constraint c
    WHERE c.conparentid = 0 AND (
        c.contype IN ('f', 'p', 'u') AND c.conrelid IN (SELECT id FROM wanted)
        -- Other tables refer to these by their keys.
        OR c.contype = 'f' AND c.confrelid IN (SELECT id FROM wanted))
    UNION ALL
    SELECT 2, i.indexrelid::regclass::text,
        format('DROP INDEX %s', i.indexrelid::regclass),
        -- A partitioned table's index is shown as it is on the parent alone.
        replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ')
    FROM pg_index i
    JOIN wanted w ON w.id = i.indrelid
    WHERE NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u'))
) d
ORDER BY turn, name
