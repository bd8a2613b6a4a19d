WITH trail AS (
    SELECT a.* FROM public.audit_logs a
    LEFT JOIN journal.events e ON e.position = a.position AND e.recorded_at = a.created_at
    WHERE ($1::uuid IS NULL OR a.entity_id = $1)
      AND ($2::text IS NULL OR a.entity_type = $2)
      AND ($3::uuid IS NULL OR a.user_id = $3)
      AND ($4::text IS NULL OR a.action = $4)
      AND ($5::uuid IS NULL OR e.tenant_id = $5)
      AND ($6::timestamptz IS NULL OR a.created_at >= $6)
      AND ($7::timestamptz IS NULL OR a.created_at < $7)
      AND ($8::inet IS NULL OR a.ip_address <<= $8)
      AND ($9::uuid IS NULL OR a.correlation_id = $9)
      AND ($10::uuid IS NULL OR a.stream_id = $10)
      AND ($11::text IS NULL OR a.event_type = $11)
), folded AS (
    SELECT a.* FROM pg_temp.audit_logs a
    LEFT JOIN journal.events e ON e.position = a.position AND e.recorded_at = a.created_at
    WHERE ($1::uuid IS NULL OR a.entity_id = $1)
      AND ($2::text IS NULL OR a.entity_type = $2)
      AND ($3::uuid IS NULL OR a.user_id = $3)
      AND ($4::text IS NULL OR a.action = $4)
      AND ($5::uuid IS NULL OR e.tenant_id = $5)
      AND ($6::timestamptz IS NULL OR a.created_at >= $6)
      AND ($7::timestamptz IS NULL OR a.created_at < $7)
      AND ($8::inet IS NULL OR a.ip_address <<= $8)
      AND ($9::uuid IS NULL OR a.correlation_id = $9)
      AND ($10::uuid IS NULL OR a.stream_id = $10)
      AND ($11::text IS NULL OR a.event_type = $11)
), compared AS (
    SELECT t.id AS trail_id, l.id AS log_id,
        COALESCE(t.action, l.action)::text AS action, COALESCE(t.entity_type, l.entity_type)::text AS entity_type,
        (t.id, t.user_id, t.action, t.entity_type, t.entity_id, t.old_values, t.new_values, t.ip_address, t.created_at,
         t.position, t.event_type, t.stream_id, t.version, t.correlation_id, t.session_id, t.user_agent)
        IS DISTINCT FROM
        (l.id, l.user_id, l.action, l.entity_type, l.entity_id, l.old_values, l.new_values, l.ip_address, l.created_at,
         l.position, l.event_type, l.stream_id, l.version, l.correlation_id, l.session_id, l.user_agent) AS differs,
        CASE WHEN t.id IS NOT NULL THEN to_jsonb(t) - 'updated_at' END AS trail_row,
        CASE WHEN l.id IS NOT NULL THEN to_jsonb(l) END AS log_row
    FROM trail t FULL JOIN folded l ON l.id = t.id
)
SELECT action, entity_type, count(trail_id), count(log_id), count(*) FILTER (WHERE differs)
FROM compared GROUP BY action, entity_type ORDER BY action, entity_type
