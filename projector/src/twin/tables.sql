-- How to make the tables $1 of `public` once more in the schema $2, parents before partitions: columns,
-- defaults, generated columns, checks, storage, partitions. No key and no index yet.
WITH wanted AS (
    SELECT c.oid, c.relname, c.relkind, t.turn,
           CASE WHEN c.reloptions IS NOT NULL THEN ' WITH (' || (
               SELECT string_agg(format('%s = %L', split_part(o, '=', 1), substr(o, strpos(o, '=') + 1)), ', ')
               FROM unnest(c.reloptions) AS o) || ')' ELSE '' END AS options
    FROM unnest($1::text[]) WITH ORDINALITY AS t (name, turn)
    JOIN pg_class c ON c.relname = t.name AND c.relnamespace = 'public'::regnamespace
)
SELECT relname::text, statement
FROM (
    SELECT 1 AS step, turn, relname, relname AS part,
           format('CREATE TABLE %I.%I (LIKE public.%I INCLUDING COMMENTS INCLUDING COMPRESSION INCLUDING CONSTRAINTS '
                  'INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING STATISTICS INCLUDING STORAGE)%s%s',
                  $2::text, relname, relname,
                  CASE WHEN relkind = 'p' THEN ' PARTITION BY ' || pg_get_partkeydef(oid) ELSE '' END, options) AS statement
    FROM wanted
    UNION ALL
    SELECT 2, w.turn, w.relname, p.relname,
           format('CREATE TABLE %I.%I PARTITION OF %I.%I %s', $2, p.relname, $2, w.relname, pg_get_expr(p.relpartbound, p.oid))
    FROM wanted w
    JOIN pg_inherits i ON i.inhparent = w.oid
    JOIN pg_class p ON p.oid = i.inhrelid
    UNION ALL
    SELECT 3, w.turn, w.relname, a.attname,
           format('ALTER TABLE %I.%I ALTER COLUMN %I SET STATISTICS %s', $2, w.relname, a.attname, a.attstattarget)
    FROM wanted w
    JOIN pg_attribute a ON a.attrelid = w.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attstattarget >= 0
    UNION ALL
    SELECT 4, w.turn, w.relname, '', format('COMMENT ON TABLE %I.%I IS %L', $2, w.relname, obj_description(w.oid, 'pg_class'))
    FROM wanted w
    WHERE obj_description(w.oid, 'pg_class') IS NOT NULL
) AS s
ORDER BY step, turn, part
