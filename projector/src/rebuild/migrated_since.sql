-- The first migration that ran after the live tables took their place, if there is one.
SELECT m.version::text FROM public.schema_migrations m
WHERE m.applied_at > (SELECT max(r.updated_at) FROM projector.rebuilds r WHERE r.state IN ('live', 'rolled back'))
ORDER BY m.applied_at, m.version LIMIT 1
