DROP FUNCTION projector.authenticate(text, uuid);
CREATE FUNCTION projector.authenticate(key_hash text)
RETURNS TABLE (key_id uuid, user_id uuid, role text, roles text[], grants text[], scopes text[], expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT k.id, u.id, u.role::text,
        ARRAY(SELECT r.name::text FROM public.user_roles a JOIN public.roles r ON r.id = a.role_id
              WHERE a.user_id = u.id AND r.is_system ORDER BY r.name),
        ARRAY(SELECT DISTINCT p.resource || ':' || p.action FROM public.user_roles a
              JOIN public.role_permissions g ON g.role_id = a.role_id
              JOIN public.permissions p ON p.id = g.permission_id
              WHERE a.user_id = u.id ORDER BY 1),
        k.scopes, k.expires_at
    FROM public.api_keys k
    JOIN public.users u ON u.id = k.user_id
    WHERE k.secret_hash = key_hash
      AND k.status = 'active'
      AND (k.expires_at IS NULL OR k.expires_at > now())
      AND u.status = 'active'
      AND u.deleted_at IS NULL
$$;
REVOKE EXECUTE ON FUNCTION projector.authenticate FROM PUBLIC;
GRANT EXECUTE ON FUNCTION projector.authenticate TO daybook_projector, application_role;
