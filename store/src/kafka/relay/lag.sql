SELECT b.position - $1,
    COALESCE((SELECT extract(epoch FROM journal.clock() - e.recorded_at)::float8 FROM journal.events e WHERE e.position = $1 + 1), 0)
FROM journal.batches b ORDER BY b.batch DESC LIMIT 1
