SELECT b.position, CASE WHEN b.batch > 0 THEN b.recorded_at END, b.lane_heads, l.epoch
FROM (SELECT * FROM journal.batches ORDER BY batch DESC LIMIT 1) b, journal.log l
