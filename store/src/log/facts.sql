SELECT position, version, event_type, schema_version, data
FROM journal.events
WHERE stream_id = $1 AND version > $2 AND version <= $3
ORDER BY version
