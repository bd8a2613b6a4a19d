-- What the log has at these positions. The times between which they were recorded name the months whose
-- partitions are looked at.
SELECT position, recorded_at, command_id
FROM journal.events
WHERE position = ANY ($1) AND recorded_at >= $2 AND recorded_at <= $3
