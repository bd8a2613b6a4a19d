-- How to make, in the schema $3, the partitions of the tables $1 that the schema $2 has and $3 lacks.
SELECT format('CREATE TABLE %I.%I PARTITION OF %I.%I %s', $3::text, p.relname, $3, w.relname, pg_get_expr(p.relpartbound, p.oid))
FROM pg_class w
JOIN pg_inherits i ON i.inhparent = w.oid
JOIN pg_class p ON p.oid = i.inhrelid
WHERE w.relnamespace = to_regnamespace($2::text) AND w.relname = ANY ($1::text[])
  AND NOT EXISTS (SELECT FROM pg_class o WHERE o.relnamespace = to_regnamespace($3) AND o.relname = p.relname)
ORDER BY w.relname, p.relname
