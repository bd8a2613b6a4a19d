INSERT INTO journal.reads (read_id, phase, actor_id, tenant_id, session_id, what, asked, rows, digest, ip_address,
    user_agent, correlation_id)
VALUES (COALESCE($1, gen_random_uuid()), $2, $3, $4, $5, $6, $7::text::jsonb, $8, $9, $10, $11, $12)
RETURNING read_id
