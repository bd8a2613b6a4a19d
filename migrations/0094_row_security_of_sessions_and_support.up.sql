-- Policies and watchers for sessions and for the help desk, and the documents' pictures of sessions.

-- A display name is never missing: it is computed from a name that never is.
ALTER TABLE public.users ALTER COLUMN name SET NOT NULL;

CALL projector.put_under_policies('sessions', 'user_id = (SELECT projector.current_user_id())');
CALL projector.hide_hashes('sessions');
-- Whoever reports something, and whoever works on it.
CALL projector.put_under_policies('support_tickets',
    'user_id = (SELECT projector.current_user_id()) OR assigned_to = (SELECT projector.current_user_id())');
CALL projector.put_under_policies('it_assets', 'assigned_to = (SELECT projector.current_user_id())');

CALL projector.watch('sessions', 'id', '{id}');
CALL projector.watch('support_tickets', 'id', '{id}');
CALL projector.watch('it_assets', 'id', '{id}');

-- The token itself is kept nowhere: the column is there, and empty.
CREATE VIEW saas.sessions WITH (security_invoker = true) AS
SELECT s.id AS session_id, s.user_id, s.org_id, NULL::varchar(255) AS token, s.created_at, s.expires_at, s.updated_at
FROM public.sessions s;
CREATE VIEW nexus.user_sessions WITH (security_invoker = true) AS
SELECT s.id, s.user_id, s.org_id, s.ip_address, s.user_agent, s.status, s.is_active, s.expires_at, s.extended_at,
       s.closed_at, s.closed_reason, s.created_at, s.updated_at, s.created_by, s.updated_by
FROM public.sessions s;
GRANT SELECT ON saas.sessions, nexus.user_sessions TO daybook_projector, application_role, daybook_analyst, daybook_auditor;
