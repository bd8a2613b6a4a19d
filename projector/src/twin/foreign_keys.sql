-- How to make the foreign keys of the tables $1 of `public` once more in the schema $2; those among
-- these tables point to the tables of $2.
SELECT c.relname::text,
       format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', $2::text, c.relname, k.conname,
              CASE WHEN t.relname = ANY ($1::text[]) AND t.relnamespace = c.relnamespace
                   THEN regexp_replace(pg_get_constraintdef(k.oid), ' REFERENCES public\.', format(' REFERENCES %I.', $2))
                   ELSE pg_get_constraintdef(k.oid) END) AS statement
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_class t ON t.oid = k.confrelid
WHERE k.contype = 'f' AND k.conparentid = 0
  AND c.relnamespace = 'public'::regnamespace AND c.relname = ANY ($1::text[])
ORDER BY array_position($1::text[], c.relname::text), k.conname
