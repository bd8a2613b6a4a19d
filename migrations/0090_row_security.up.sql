-- Who sees which rows, decided by the database, whatever its callers forget. What holds: a role of
-- the service sees what its policies let through and nothing else; without an identity
-- (app.current_user_id, set for a transaction only) application_role sees nothing; partitions are
-- granted to nobody. Absent on purpose: any way for a setting to widen what is seen beyond the one
-- user and the one organization that it names; that the names are true is the service's to see to.

-- The user on whose behalf a transaction reads. An unset or empty setting is nobody.
CREATE FUNCTION projector.current_user_id() RETURNS uuid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT NULLIF(current_setting('app.current_user_id', true), '')::uuid $$;

-- The next three look past the policies of the tables that they read, or these would call
-- themselves for ever. They tell a reader only of what the reader belongs to.

-- The organization on whose behalf a transaction reads; none unless its user is a member.
CREATE FUNCTION projector.current_organization_id() RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT m.org_id
    FROM public.org_members m
    JOIN public.organizations o ON o.id = m.org_id
    WHERE m.org_id = NULLIF(current_setting('app.current_org_id', true), '')::uuid
      AND m.user_id = NULLIF(current_setting('app.current_user_id', true), '')::uuid
      AND o.deleted_at IS NULL
$$;

-- The organizations that the user is a member of.
CREATE FUNCTION projector.own_organizations() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 10
AS $$
    SELECT m.org_id FROM public.org_members m
    WHERE m.user_id = NULLIF(current_setting('app.current_user_id', true), '')::uuid
$$;

-- The user, and everyone with whom they share an organization.
CREATE FUNCTION projector.seen_users() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 100
AS $$
    SELECT NULLIF(current_setting('app.current_user_id', true), '')::uuid
    UNION
    SELECT theirs.user_id
    FROM public.org_members mine
    JOIN public.organizations o ON o.id = mine.org_id AND o.deleted_at IS NULL
    JOIN public.org_members theirs ON theirs.org_id = mine.org_id
    WHERE mine.user_id = NULLIF(current_setting('app.current_user_id', true), '')::uuid
$$;

REVOKE ALL ON FUNCTION projector.current_user_id, projector.current_organization_id,
    projector.own_organizations, projector.seen_users FROM PUBLIC;
GRANT EXECUTE ON FUNCTION projector.current_user_id, projector.current_organization_id,
    projector.own_organizations, projector.seen_users TO application_role;

-- Puts a read table under policies: application_role sees the rows for which `seen` holds, readers
-- of everything see all, the projector posts all, and so does the owner in a rebuild; nobody else
-- sees any, the owner's own functions included. What a condition asks of the transaction stands in
-- subselects, so that it is asked once a statement, and an index answers.
CREATE PROCEDURE projector.put_under_policies(named text, seen text, policy text DEFAULT NULL)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', named);
    EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', named);
    EXECUTE format('CREATE POLICY %I ON public.%I FOR ALL TO application_role USING (%s)',
        COALESCE(policy, named || '_policy'), named, seen);
    EXECUTE format('CREATE POLICY %I ON public.%I FOR SELECT TO daybook_analyst, daybook_auditor USING (true)',
        named || '_read_by_staff', named);
    EXECUTE format('CREATE POLICY %I ON public.%I FOR ALL TO daybook_projector USING (true) WITH CHECK (true)',
        named || '_posted', named);
    EXECUTE format('CREATE POLICY %I ON public.%I FOR ALL TO daybook_migrator USING (true) WITH CHECK (true)',
        named || '_owned', named);
END
$$;

-- Takes a read table out again.
CREATE PROCEDURE projector.take_from_policies(named text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    policy name;
BEGIN
    FOR policy IN SELECT p.policyname FROM pg_policies p WHERE p.schemaname = 'public' AND p.tablename = named LOOP
        EXECUTE format('DROP POLICY %I ON public.%I', policy, named);
    END LOOP;
    EXECUTE format('ALTER TABLE public.%I NO FORCE ROW LEVEL SECURITY', named);
    EXECUTE format('ALTER TABLE public.%I DISABLE ROW LEVEL SECURITY', named);
END
$$;

-- Lets readers see every column of a table but the hashes of secrets, which policies cannot hide.
CREATE PROCEDURE projector.hide_hashes(named text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    shown text;
BEGIN
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO STRICT shown
    FROM pg_attribute a
    WHERE a.attrelid = format('public.%I', named)::regclass AND a.attnum > 0 AND NOT a.attisdropped
      AND a.attname NOT LIKE '%\_hash';
    EXECUTE format('REVOKE SELECT ON public.%I FROM application_role, daybook_analyst, daybook_auditor', named);
    EXECUTE format('GRANT SELECT (%s) ON public.%I TO application_role, daybook_analyst, daybook_auditor', shown, named);
END
$$;
REVOKE ALL ON PROCEDURE projector.put_under_policies, projector.take_from_policies, projector.hide_hashes FROM PUBLIC;

CALL projector.put_under_policies('users', 'id = ANY (ARRAY(SELECT projector.seen_users()))');
CALL projector.put_under_policies('user_identifiers', 'user_id = ANY (ARRAY(SELECT projector.seen_users()))');
CALL projector.put_under_policies('api_keys', 'user_id = (SELECT projector.current_user_id())');
CALL projector.put_under_policies('organizations', 'id = ANY (ARRAY(SELECT projector.own_organizations()))');
CALL projector.put_under_policies('org_members',
    'user_id = (SELECT projector.current_user_id()) OR org_id = (SELECT projector.current_organization_id())');
CALL projector.put_under_policies('accounts', 'user_id = (SELECT projector.current_user_id())');
CALL projector.put_under_policies('transactions',
    'account_id = ANY (ARRAY(SELECT a.id FROM public.accounts a WHERE a.user_id = (SELECT projector.current_user_id())))');
CALL projector.put_under_policies('audit_logs', 'user_id = (SELECT projector.current_user_id())');

CALL projector.hide_hashes('users');
CALL projector.hide_hashes('api_keys');
