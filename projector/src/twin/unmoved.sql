-- What is bound to the tables $1 of `public` in a way that a second set of them would not take over:
-- none may be there, or a rebuild would leave it behind.
WITH wanted AS (
    SELECT c.oid, c.reltype, c.relname
    FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY ($1::text[])
), parts AS (
    SELECT i.inhrelid AS oid, w.relname FROM wanted w JOIN pg_inherits i ON i.inhparent = w.oid
)
SELECT format('foreign key %I of %s refers to %I', k.conname, k.conrelid::regclass, w.relname)
FROM wanted w JOIN pg_constraint k ON k.confrelid = w.oid AND k.contype = 'f' AND k.conparentid = 0
WHERE NOT EXISTS (SELECT FROM wanted o WHERE o.oid = k.conrelid)
UNION ALL
SELECT format('publication %I has %I', p.pubname, w.relname)
FROM (SELECT oid, relname FROM wanted UNION ALL SELECT oid, relname FROM parts) w
JOIN pg_publication_rel r ON r.prrelid = w.oid JOIN pg_publication p ON p.oid = r.prpubid
UNION ALL
SELECT format('column %I of %I counts by a sequence', a.attname, w.relname)
FROM wanted w JOIN pg_attribute a ON a.attrelid = w.oid AND a.attidentity <> ''
UNION ALL
SELECT format('rule %I on %I', r.rulename, w.relname)
FROM wanted w JOIN pg_rewrite r ON r.ev_class = w.oid
UNION ALL
SELECT format('materialized view %s reads %I', v.oid::regclass, w.relname)
FROM wanted w
JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = w.oid AND d.classid = 'pg_rewrite'::regclass
JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class AND v.relkind = 'm'
UNION ALL
SELECT format('function %s is made of %I', d.objid::regprocedure, w.relname)
FROM wanted w
JOIN pg_depend d ON d.classid = 'pg_proc'::regclass
 AND ((d.refclassid = 'pg_class'::regclass AND d.refobjid = w.oid) OR (d.refclassid = 'pg_type'::regclass AND d.refobjid = w.reltype))
UNION ALL
SELECT format('%s, a partition of %I, has partitions, or indexes or triggers of its own', p.oid::regclass, p.relname)
FROM parts p
WHERE EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = p.oid)
   OR EXISTS (SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = p.oid AND NOT x.relispartition)
   OR EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = p.oid AND NOT g.tgisinternal AND g.tgparentid = 0
              -- Those that a partition has on being emptied because its parent has them come with the parent's.
              AND NOT (g.tgtype & 33 = 32 AND EXISTS (
                  SELECT FROM pg_trigger w JOIN pg_inherits i ON i.inhparent = w.tgrelid
                  WHERE i.inhrelid = p.oid AND w.tgname = g.tgname AND w.tgtype = g.tgtype)))
ORDER BY 1
