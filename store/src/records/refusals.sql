INSERT INTO journal.refusals (at, actor_id, tenant_id, session_id, kind, command, command_id, stream_id, code, status,
    ip_address, user_agent, correlation_id)
SELECT * FROM unnest($1::timestamptz[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::uuid[], $8::uuid[],
    $9::text[], $10::smallint[], $11::inet[], $12::text[], $13::uuid[])
