SELECT position, recorded_at, occurred_at, lane, lane_seq, stream_id, version, event_type, schema_version,
    data, command_id, actor_id, tenant_id, correlation_id, causation_id, session_id, ip_address, user_agent,
    traceparent, after
FROM journal.events
WHERE stream_id = $1 AND version > $2 AND version <= $3 AND position <= $4
ORDER BY version
