-- Foreign keys first, then the indexes that no constraint owns: how to drop each, how to make it
-- again. A partitioned table's index is defined ON ONLY it; made again, it is for its partitions too.
SELECT statement.drop_it, statement.make_it
FROM (
    SELECT 1 AS turn, c.conname AS name,
           format('ALTER TABLE %s DROP CONSTRAINT %I', c.conrelid::regclass, c.conname) AS drop_it,
           format('ALTER TABLE %s ADD CONSTRAINT %I %s',
                  c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid)) AS make_it
    FROM pg_constraint c
    WHERE c.contype = 'f' AND c.conparentid = 0
      -- Those of other tables that refer to these, too: nothing could be emptied else.
      AND ARRAY[c.conrelid, c.confrelid] && ARRAY(SELECT format('public.%I', t)::regclass::oid FROM unnest($1::text[]) AS t)
    UNION ALL
    SELECT 2, i.indexrelid::regclass::name,
           format('DROP INDEX %s', i.indexrelid::regclass),
           replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ')
    FROM pg_index i
    WHERE i.indrelid IN (SELECT format('public.%I', t)::regclass FROM unnest($1::text[]) AS t)
      AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x'))
) AS statement
ORDER BY statement.turn, statement.name
