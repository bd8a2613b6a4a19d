SELECT position, recorded_at, occurred_at, lane, lane_seq, stream_id, version, event_type, schema_version,
    data, command_id, actor_id, tenant_id, correlation_id, causation_id, session_id, ip_address, user_agent,
    traceparent, after
FROM journal.events
WHERE stream_id = ANY ($11) AND position > $1 AND position <= $2
  AND ($4::smallint[] IS NULL OR lane = ANY ($4))
  AND ($5::text[] IS NULL OR event_type = ANY ($5))
  AND ($6::text[] IS NULL OR substring(event_type FROM '^[^.]*\.[^.]*') = ANY ($6))
  AND ($7::text[] IS NULL OR split_part(event_type, '.', 1) = ANY ($7))
  AND ($8::uuid IS NULL OR tenant_id = $8)
  AND ($9::uuid IS NULL OR actor_id = $9)
  AND ($10::uuid IS NULL OR correlation_id = $10)
ORDER BY position + 0
LIMIT $3
