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
