-- Everything that migrations make, one line each, by definition. Partitions are named by the clock,
-- and left out.
SELECT line FROM (
    SELECT format('column %s.%s %s %s %s', c.oid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                  pg_get_expr(d.adbin, d.adrelid)) AS line
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_|information_schema')
      AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
    UNION ALL
    SELECT format('constraint %s %s %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE NOT c.relispartition AND k.conparentid = 0 AND c.relnamespace <> 'pg_catalog'::regnamespace
    UNION ALL
    SELECT 'index ' || pg_get_indexdef(x.indexrelid)
    FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid
    WHERE NOT c.relispartition AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace)
    UNION ALL
    SELECT 'trigger ' || pg_get_triggerdef(t.oid)
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND NOT c.relispartition
    UNION ALL
    SELECT format('policy %s %s %s %s %s %s', p.tablename, p.policyname, p.cmd, p.roles, p.qual, p.with_check) FROM pg_policies p
    UNION ALL
    SELECT format('table %s %s %s %s', c.oid::regclass, c.relrowsecurity, c.relforcerowsecurity,
                  ARRAY(SELECT g::text FROM unnest(c.relacl) g ORDER BY g::text))
    FROM pg_class c
    WHERE c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition AND c.relname <> '_sqlx_migrations'
      AND c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_|information_schema')
    UNION ALL
    -- But for application_role's: going down leaves it columns beside the whole table that it gets back.
    SELECT format('columns of %s.%s for %s', c.oid::regclass, a.attname, ARRAY(SELECT g::text FROM unnest(a.attacl) g
                  WHERE g::text NOT LIKE 'application_role=%' ORDER BY g::text))
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE a.attacl IS NOT NULL AND NOT c.relispartition AND c.relnamespace <> 'pg_catalog'::regnamespace
    UNION ALL
    SELECT format('view %s %s %s', c.oid::regclass, c.reloptions, pg_get_viewdef(c.oid))
    FROM pg_class c WHERE c.relkind = 'v' AND c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_|information_schema')
    UNION ALL
    SELECT format('function %s %s %s', p.oid::regprocedure, md5(pg_get_functiondef(p.oid)),
                  ARRAY(SELECT g::text FROM unnest(p.proacl) g ORDER BY g::text))
    FROM pg_proc p
    WHERE p.pronamespace IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_|information_schema')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    UNION ALL
    SELECT format('enum %s %s', t.oid::regtype, array_agg(e.enumlabel ORDER BY e.enumsortorder))
    FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid GROUP BY t.oid
    UNION ALL
    SELECT format('partitioned by time %s', to_jsonb(m)) FROM projector.monthly_tables m
) AS made
ORDER BY line
