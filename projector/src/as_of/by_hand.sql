-- How often somebody changed something by hand, as far as it bears upon the trail up to an instant: what is
-- in it, and what changed the trail itself, whenever that was. And which table the trail is.
SELECT count(*), 'public.audit_logs'::regclass::oid::bigint
FROM public.audit_logs
WHERE id < 0 AND (created_at <= $1 OR entity_type = 'audit_logs')
