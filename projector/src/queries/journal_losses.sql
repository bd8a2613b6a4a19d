-- Nobody's, without a code and from nowhere: only the times narrow it.
SELECT r.id, (to_jsonb(r) || jsonb_build_object('at', to_char(r.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')))::text
FROM journal.losses r
WHERE ($1::bigint IS NULL OR r.id < $1)
  AND $3::uuid IS NULL AND $4::text IS NULL AND $7::inet IS NULL
  AND ($5::timestamptz IS NULL OR r.at >= $5)
  AND ($6::timestamptz IS NULL OR r.at < $6)
ORDER BY r.id DESC
LIMIT $2
