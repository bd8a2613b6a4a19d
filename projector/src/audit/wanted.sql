-- Which audit rows `a` a filter wants; the tenant is what the event says.
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
