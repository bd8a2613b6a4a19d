-- How to make, in the schema $3, the partitions of the tables $1 that the schema $2 has and $3 lacks,
-- watched as their parents there are.
SELECT format('CREATE TABLE %1$I.%2$I PARTITION OF %1$I.%3$I %4$s; SELECT projector.watch_partition(%5$L::regclass, %6$L::regclass)',
              $3::text, p.relname, w.relname, pg_get_expr(p.relpartbound, p.oid),
              format('%I.%I', $3, w.relname), format('%I.%I', $3, p.relname))
FROM pg_class w
JOIN pg_inherits i ON i.inhparent = w.oid
JOIN pg_class p ON p.oid = i.inhrelid
WHERE w.relnamespace = to_regnamespace($2::text) AND w.relname = ANY ($1::text[])
  AND NOT EXISTS (SELECT FROM pg_class o WHERE o.relnamespace = to_regnamespace($3) AND o.relname = p.relname)
ORDER BY w.relname, p.relname
