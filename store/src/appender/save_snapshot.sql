INSERT INTO journal.snapshots AS kept (stream_id, version, shape, state)
VALUES ($1, $2, $3, $4::jsonb)
ON CONFLICT (stream_id) DO UPDATE
SET version = EXCLUDED.version, shape = EXCLUDED.shape, state = EXCLUDED.state, taken_at = clock_timestamp()
WHERE kept.version < EXCLUDED.version OR kept.shape <> EXCLUDED.shape
