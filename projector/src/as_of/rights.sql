-- What auditors may read of the tables $1 of `public`, once more for those in the schema $2: every
-- column but the hashes of secrets. Nobody is granted anything else.
SELECT w.relname::text,
       format('GRANT SELECT (%s) ON %I.%I TO daybook_auditor', string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum), $2::text, w.relname)
FROM unnest($1::text[]) AS t (name)
JOIN pg_class w ON w.relname = t.name AND w.relnamespace = 'public'::regnamespace
JOIN pg_attribute a ON a.attrelid = w.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE has_column_privilege('daybook_auditor', w.oid, a.attnum, 'SELECT')
GROUP BY w.relname
ORDER BY w.relname
