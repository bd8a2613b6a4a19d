SELECT CASE WHEN $2::timestamptz IS NULL THEN $1 ELSE journal.position_at($2 - interval '1 microsecond') END,
    CASE WHEN $3::timestamptz IS NULL OR $3 >= b.recorded_at THEN b.position ELSE journal.position_at($3) END
FROM (SELECT position, recorded_at FROM journal.batches ORDER BY batch DESC LIMIT 1) b
