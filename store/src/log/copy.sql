COPY (
    SELECT position, recorded_at, occurred_at, lane, lane_seq, stream_id, version, event_type, schema_version,
        data, command_id, actor_id, tenant_id, correlation_id, causation_id, session_id, ip_address, user_agent,
        traceparent, after
    FROM journal.events WHERE position > $1 AND position <= $2 AND lane % $3 = $4 AND $5 ORDER BY position
) TO STDOUT (FORMAT binary)
