SELECT r.id, (to_jsonb(r) || jsonb_build_object('at', to_char(r.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')))::text
FROM journal.reads r
WHERE ($1::bigint IS NULL OR r.id < $1)
  AND ($3::uuid IS NULL OR r.actor_id = $3)
  AND ($4::text IS NULL OR r.what = $4)
  AND ($5::timestamptz IS NULL OR r.at >= $5)
  AND ($6::timestamptz IS NULL OR r.at < $6)
  AND ($7::inet IS NULL OR r.ip_address <<= $7)
ORDER BY r.id DESC
LIMIT $2
