-- Who asks, by the hash of a key or of a session's token, and what they are in the organization on
-- whose behalf they ask: the one that they name, else the session's own. tenant_role is empty for
-- who is no member of it.
DROP FUNCTION projector.authenticate(text);
CREATE FUNCTION projector.authenticate(secret text, organization uuid)
RETURNS TABLE (key_id uuid, session_id uuid, user_id uuid, role text, roles text[], grants text[], scopes text[],
    expires_at timestamptz, session_org_id uuid, tenant_role text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT a.id, a.session_id, u.id, u.role::text,
        ARRAY(SELECT r.name::text FROM public.user_roles h JOIN public.roles r ON r.id = h.role_id
              WHERE h.user_id = u.id AND r.is_system ORDER BY r.name),
        ARRAY(SELECT DISTINCT p.resource || ':' || p.action FROM public.user_roles h
              JOIN public.role_permissions g ON g.role_id = h.role_id
              JOIN public.permissions p ON p.id = g.permission_id
              WHERE h.user_id = u.id ORDER BY 1),
        a.scopes, a.expires_at, a.org_id,
        (SELECT m.role::text FROM public.org_members m JOIN public.organizations o ON o.id = m.org_id
         WHERE m.user_id = u.id AND m.org_id = COALESCE(organization, a.org_id) AND o.deleted_at IS NULL)
    FROM (
        SELECT k.id, NULL::uuid AS session_id, k.user_id, k.scopes, k.expires_at, NULL::uuid AS org_id
        FROM public.api_keys k
        WHERE k.secret_hash = secret AND k.status = 'active'
        UNION ALL
        SELECT s.id, s.id, s.user_id, NULL, s.expires_at, s.org_id
        FROM public.sessions s
        WHERE s.token_hash = secret AND s.status = 'active'
    ) a
    JOIN public.users u ON u.id = a.user_id
    WHERE (a.expires_at IS NULL OR a.expires_at > now())
      AND u.status = 'active'
      AND u.deleted_at IS NULL
$$;
REVOKE EXECUTE ON FUNCTION projector.authenticate FROM PUBLIC;
GRANT EXECUTE ON FUNCTION projector.authenticate TO daybook_projector, application_role;
