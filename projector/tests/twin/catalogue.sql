-- Everything that the catalogue says of the tables of the schema $1 and their partitions, a line each,
-- with the schema's name taken out. What a partition's indexes and constraints are called is left out:
-- PostgreSQL makes those names up.
WITH t AS (
    SELECT c.*, CASE WHEN c.relispartition THEN 'partition ' ELSE 'table ' END || c.relname AS named
    FROM pg_class c
    WHERE c.relnamespace = to_regnamespace($1::text) AND c.relkind IN ('r', 'p')
      AND c.relname NOT IN ('_sqlx_migrations')
)
SELECT regexp_replace(line, '\m(public|' || $1 || ')\.', 'S.', 'g') FROM (
    SELECT format('%s: %s %s owner %s, rls %s %s, options %s, identity %s, acl %s, by %s, bound %s, comment %s', named, relkind,
           relpersistence, pg_get_userbyid(relowner), relrowsecurity, relforcerowsecurity, reloptions, relreplident,
           (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(relacl) a),
           CASE WHEN relkind = 'p' THEN pg_get_partkeydef(oid) END, pg_get_expr(relpartbound, oid), obj_description(oid, 'pg_class')) AS line
    FROM t
    UNION ALL
    SELECT format('%s.%s #%s: %s, null %s, default %s, generated %s, storage %s %s, collation %s, statistics %s, acl %s, local %s %s, comment %s',
           named, a.attname, a.attnum, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
           a.attgenerated, a.attstorage, a.attcompression, a.attcollation::regcollation, a.attstattarget,
           (SELECT array_agg(x::text ORDER BY x::text) FROM unnest(a.attacl) x), a.attislocal, a.attinhcount, col_description(t.oid, a.attnum))
    FROM t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0
    LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
    UNION ALL
    SELECT format('%s constraint %s: %s, valid %s, local %s %s', named, CASE WHEN NOT t.relispartition THEN k.conname END,
           pg_get_constraintdef(k.oid), k.convalidated, k.conislocal, k.coninhcount)
    FROM t JOIN pg_constraint k ON k.conrelid = t.oid
    UNION ALL
    SELECT format('%s index: %s, of a constraint %s, valid %s, clustered %s, options %s', named,
           CASE WHEN t.relispartition THEN regexp_replace(pg_get_indexdef(i.indexrelid), 'INDEX \S+ ON', 'INDEX ON')
                ELSE pg_get_indexdef(i.indexrelid) END,
           EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid), i.indisvalid, i.indisclustered, x.reloptions)
    FROM t JOIN pg_index i ON i.indrelid = t.oid JOIN pg_class x ON x.oid = i.indexrelid
    UNION ALL
    SELECT format('%s trigger: %s, enabled %s', named, pg_get_triggerdef(g.oid), g.tgenabled)
    FROM t JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal
    UNION ALL
    SELECT format('%s internal triggers: %s', named, count(*))
    FROM t JOIN pg_trigger g ON g.tgrelid = t.oid AND g.tgisinternal GROUP BY named
    UNION ALL
    SELECT format('%s policy %s: %s %s to %s using %s check %s', named, p.polname, p.polcmd, p.polpermissive,
           (SELECT array_agg(pg_get_userbyid(r) ORDER BY 1) FROM unnest(p.polroles) r), pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
    FROM t JOIN pg_policy p ON p.polrelid = t.oid
    UNION ALL
    SELECT format('%s statistics: %s', named, pg_get_statisticsobjdef(s.oid)) FROM t JOIN pg_statistic_ext s ON s.stxrelid = t.oid
) AS lines
ORDER BY 1
