-- Policies and watchers for what roles, organizations, the platform, authors and services have.
-- Roles, permissions and services are nobody's: whoever reads may know what there is, and who has it
-- is under policies.

-- The organizations of a transaction: the one that it names, if its user is a member, or, naming
-- none, all of which they are. Naming one only narrows what is seen. (Naming none showed nothing
-- before, and an organization that is deleted nothing at all, not even to those who may restore it.)
CREATE FUNCTION projector.current_organizations() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 10
AS $$
    SELECT m.org_id FROM public.org_members m
    WHERE m.user_id = NULLIF(current_setting('app.current_user_id', true), '')::uuid
      AND m.org_id = COALESCE(NULLIF(current_setting('app.current_org_id', true), '')::uuid, m.org_id)
$$;
REVOKE ALL ON FUNCTION projector.current_organizations FROM PUBLIC;
GRANT EXECUTE ON FUNCTION projector.current_organizations TO application_role;
ALTER POLICY org_members_policy ON public.org_members USING (
    user_id = (SELECT projector.current_user_id()) OR org_id = ANY (ARRAY(SELECT projector.current_organizations())));
DROP FUNCTION projector.current_organization_id;

CALL projector.put_under_policies('user_roles', 'user_id = (SELECT projector.current_user_id())');
CALL projector.put_under_policies('billing_accounts', 'org_id = ANY (ARRAY(SELECT projector.current_organizations()))');
CALL projector.put_under_policies('resources', 'org_id = ANY (ARRAY(SELECT projector.current_organizations()))');
CALL projector.put_under_policies('resource_metadata',
    'resource_id = ANY (ARRAY(SELECT r.id FROM public.resources r WHERE r.org_id = ANY (ARRAY(SELECT projector.current_organizations()))))');
-- What is published is there for every user; so is what is said to it.
CALL projector.put_under_policies('posts',
    'user_id = (SELECT projector.current_user_id())
     OR (status = ''published'' AND deleted_at IS NULL AND (SELECT projector.current_user_id()) IS NOT NULL)');
CALL projector.put_under_policies('comments',
    'user_id = (SELECT projector.current_user_id()) OR EXISTS (SELECT FROM public.posts p WHERE p.id = post_id)');
CALL projector.put_under_policies('service_subscriptions', 'user_id = (SELECT projector.current_user_id())');
CALL projector.put_under_policies('system_settings', 'false');
CALL projector.put_under_policies('notifications', 'user_id = (SELECT projector.current_user_id())');

CALL projector.watch('permissions', 'id', '{id}');
CALL projector.watch('roles', 'id', '{id}');
CALL projector.watch('role_permissions', 'role_id', '{role_id,permission_id}');
CALL projector.watch('user_roles', 'user_id', '{user_id,role_id}');
CALL projector.watch('billing_accounts', 'id', '{id}');
CALL projector.watch('resources', 'id', '{id}');
CALL projector.watch('resource_metadata', 'resource_id', '{resource_id}');
CALL projector.watch('posts', 'id', '{id}');
CALL projector.watch('comments', 'id', '{id}');
CALL projector.watch('services', 'id', '{id}');
CALL projector.watch('service_subscriptions', 'id', '{id}');
CALL projector.watch('system_settings', 'id', '{id}');
CALL projector.watch('notifications', 'id', '{id}');
