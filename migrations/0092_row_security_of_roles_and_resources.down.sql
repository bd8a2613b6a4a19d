CALL projector.unwatch('notifications');
CALL projector.unwatch('system_settings');
CALL projector.unwatch('service_subscriptions');
CALL projector.unwatch('services');
CALL projector.unwatch('comments');
CALL projector.unwatch('posts');
CALL projector.unwatch('resource_metadata');
CALL projector.unwatch('resources');
CALL projector.unwatch('billing_accounts');
CALL projector.unwatch('user_roles');
CALL projector.unwatch('role_permissions');
CALL projector.unwatch('roles');
CALL projector.unwatch('permissions');
CALL projector.take_from_policies('notifications');
CALL projector.take_from_policies('system_settings');
CALL projector.take_from_policies('service_subscriptions');
CALL projector.take_from_policies('comments');
CALL projector.take_from_policies('posts');
CALL projector.take_from_policies('resource_metadata');
CALL projector.take_from_policies('resources');
CALL projector.take_from_policies('billing_accounts');
CALL projector.take_from_policies('user_roles');

-- As 0090 made it.
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
REVOKE ALL ON FUNCTION projector.current_organization_id FROM PUBLIC;
GRANT EXECUTE ON FUNCTION projector.current_organization_id TO application_role;
ALTER POLICY org_members_policy ON public.org_members USING (
    user_id = (SELECT projector.current_user_id()) OR org_id = (SELECT projector.current_organization_id()));
DROP FUNCTION projector.current_organizations;
