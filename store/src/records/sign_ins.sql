INSERT INTO journal.sign_ins (at, user_id, code, session_id, ip_address, user_agent, correlation_id)
SELECT * FROM unnest($1::timestamptz[], $2::uuid[], $3::text[], $4::uuid[], $5::inet[], $6::text[], $7::uuid[])
