-- How large the tables $1 of the schema $2 are with their partitions, in bytes.
SELECT w.relname::text, (pg_relation_size(w.oid)
       + COALESCE((SELECT sum(pg_relation_size(i.inhrelid)) FROM pg_inherits i WHERE i.inhparent = w.oid), 0))::bigint
FROM pg_class w
WHERE w.relnamespace = to_regnamespace($2::text) AND w.relname = ANY ($1::text[])
