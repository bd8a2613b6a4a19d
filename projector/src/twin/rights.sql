-- What else the tables $1 of `public` have, once more for those in the schema $2: triggers (also those
-- that their partitions have on being emptied), policies, grants. Policies that look into other tables of $1 look into those of $2.
WITH wanted AS (
    SELECT c.oid, c.relname, c.relkind, c.relowner, c.relacl, c.relrowsecurity, c.relforcerowsecurity, t.turn
    FROM unnest($1::text[]) WITH ORDINALITY AS t (name, turn)
    JOIN pg_class c ON c.relname = t.name AND c.relnamespace = 'public'::regnamespace
), redirect AS (
    SELECT '\mpublic\.(' || string_agg(quote_ident(name), '|') || ')\M' AS pattern, quote_ident($2::text) || '.\1' AS replacement
    FROM unnest($1::text[]) AS name
)
SELECT relname::text, statement
FROM (
    SELECT 1 AS step, w.turn, w.relname, g.tgname AS name,
           regexp_replace(pg_get_triggerdef(g.oid), ' ON public\.', format(' ON %I.', $2)) AS statement
    FROM wanted w JOIN pg_trigger g ON g.tgrelid = w.oid AND NOT g.tgisinternal AND g.tgparentid = 0
    UNION ALL
    SELECT 2, w.turn, w.relname, g.tgname,
           format('ALTER TABLE %I.%I %s TRIGGER %I', $2, w.relname,
                  CASE g.tgenabled WHEN 'A' THEN 'ENABLE ALWAYS' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'DISABLE' END, g.tgname)
    FROM wanted w JOIN pg_trigger g ON g.tgrelid = w.oid AND NOT g.tgisinternal AND g.tgparentid = 0 AND g.tgenabled <> 'O'
    UNION ALL
    SELECT 2, w.turn, w.relname, '~',
           format('SELECT count(projector.watch_partition(i.inhparent, i.inhrelid)) FROM pg_catalog.pg_inherits i WHERE i.inhparent = %L::regclass',
                  format('%I.%I', $2, w.relname))
    FROM wanted w WHERE w.relkind = 'p'
    UNION ALL
    SELECT 3, w.turn, w.relname, '', format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', $2, w.relname)
    FROM wanted w WHERE w.relrowsecurity
    UNION ALL
    SELECT 4, w.turn, w.relname, '', format('ALTER TABLE %I.%I FORCE ROW LEVEL SECURITY', $2, w.relname)
    FROM wanted w WHERE w.relforcerowsecurity
    UNION ALL
    SELECT 5, w.turn, w.relname, p.polname,
           format('CREATE POLICY %I ON %I.%I AS %s FOR %s TO %s%s%s', p.polname, $2, w.relname,
                  CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                  CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                  (SELECT string_agg(CASE o WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(o)) END, ', ') FROM unnest(p.polroles) AS o),
                  ' USING (' || regexp_replace(pg_get_expr(p.polqual, p.polrelid), r.pattern, r.replacement, 'g') || ')',
                  ' WITH CHECK (' || regexp_replace(pg_get_expr(p.polwithcheck, p.polrelid), r.pattern, r.replacement, 'g') || ')')
    FROM wanted w JOIN pg_policy p ON p.polrelid = w.oid CROSS JOIN redirect r
    UNION ALL
    SELECT 6, w.turn, w.relname, pg_get_userbyid(a.grantee) || a.privilege_type,
           format('GRANT %s ON %I.%I TO %s%s', a.privilege_type, $2, w.relname,
                  CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
                  CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM wanted w CROSS JOIN aclexplode(w.relacl) AS a
    WHERE a.grantee <> w.relowner
    UNION ALL
    SELECT 7, w.turn, w.relname, pg_get_userbyid(a.grantee) || a.privilege_type,
           format('GRANT %s (%s) ON %I.%I TO %s%s', a.privilege_type,
                  string_agg(quote_ident(c.attname), ', ' ORDER BY c.attnum), $2, w.relname,
                  CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
                  CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM wanted w
    JOIN pg_attribute c ON c.attrelid = w.oid AND c.attnum > 0 AND NOT c.attisdropped
    CROSS JOIN aclexplode(c.attacl) AS a
    GROUP BY w.turn, w.relname, a.grantee, a.privilege_type, a.is_grantable
) AS s
ORDER BY step, turn, name
