-- How the tables $1, with their partitions, go from the schema $2 into the schema $3.
SELECT format('ALTER TABLE %I.%I SET SCHEMA %I', $2::text, t.relname, $3::text)
FROM pg_class w
LEFT JOIN pg_inherits i ON i.inhparent = w.oid
CROSS JOIN LATERAL (SELECT w.relname UNION SELECT p.relname FROM pg_class p WHERE p.oid = i.inhrelid) AS t
WHERE w.relnamespace = to_regnamespace($2) AND w.relname = ANY ($1::text[])
GROUP BY t.relname
ORDER BY t.relname
