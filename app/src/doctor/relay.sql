SELECT COALESCE(r.lease_until > clock_timestamp(), false),
    b.position - COALESCE(r.position, 0),
    COALESCE((
        SELECT extract(epoch FROM journal.clock() - e.recorded_at)::float8
        FROM journal.events e WHERE e.position = COALESCE(r.position, 0) + 1
    ), 0)
FROM (SELECT position FROM journal.batches ORDER BY batch DESC LIMIT 1) b
LEFT JOIN journal.relays r ON r.topic = $1
