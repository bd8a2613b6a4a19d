SELECT a.id, a.created_at, a.position, a.user_id, a.action::text, a.entity_type::text, a.entity_id, a.old_values::text,
    a.new_values::text, a.ip_address, a.event_type, a.stream_id, a.version, a.correlation_id, a.session_id,
    a.user_agent, e.tenant_id, e.command_id
FROM public.audit_logs a
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
  AND (a.position <= $12 OR a.position IS NULL)
  AND a.created_at <= $13
  AND ($14::timestamptz IS NULL OR (a.created_at, a.id) < ($14, $15))
ORDER BY a.created_at DESC, a.id DESC
LIMIT $16
