-- Policies and watchers for what roles, organizations and the platform have. Roles and permissions
-- are nobody's: whoever reads may know what there is, and who has it is under policies.
CALL projector.put_under_policies('user_roles', 'user_id = (SELECT projector.current_user_id())');
CALL projector.put_under_policies('billing_accounts', 'org_id = ANY (ARRAY(SELECT projector.current_organizations()))');
CALL projector.put_under_policies('resources', 'org_id = ANY (ARRAY(SELECT projector.current_organizations()))');
CALL projector.put_under_policies('resource_metadata',
    'resource_id = ANY (ARRAY(SELECT r.id FROM public.resources r WHERE r.org_id = ANY (ARRAY(SELECT projector.current_organizations()))))');
CALL projector.put_under_policies('system_settings', 'false');
CALL projector.put_under_policies('notifications', 'user_id = (SELECT projector.current_user_id())');

CALL projector.watch('permissions', 'id', '{id}');
CALL projector.watch('roles', 'id', '{id}');
CALL projector.watch('role_permissions', 'role_id', '{role_id,permission_id}');
CALL projector.watch('user_roles', 'user_id', '{user_id,role_id}');
CALL projector.watch('billing_accounts', 'id', '{id}');
CALL projector.watch('resources', 'id', '{id}');
CALL projector.watch('resource_metadata', 'resource_id', '{resource_id}');
CALL projector.watch('system_settings', 'id', '{id}');
CALL projector.watch('notifications', 'id', '{id}');
