INSERT INTO journal.reads (phase, actor_id, tenant_id, session_id, what, asked, rows, digest, ip_address, user_agent,
    correlation_id)
SELECT 'whole', actor_id, tenant_id, session_id, what, asked::jsonb, rows, digest, ip_address, user_agent, correlation_id
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::inet[], $9::text[],
    $10::uuid[])
    AS r (actor_id, tenant_id, session_id, what, asked, rows, digest, ip_address, user_agent, correlation_id)
