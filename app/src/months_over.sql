-- The months of the log that are over, by their first days, and whose positions no constraint says yet.
SELECT p.month
FROM (
    SELECT c.oid, c.relname, to_date(substring(c.relname FROM '^events_(\d{4}_\d{2})$'), 'YYYY_MM') AS month
    FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'journal.events'::regclass
) p
WHERE (p.month + interval '1 month') AT TIME ZONE 'UTC'
      <= (SELECT b.recorded_at FROM journal.batches b ORDER BY b.batch DESC LIMIT 1)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
                  WHERE k.conrelid = p.oid AND k.conname = p.relname || '_positions' AND k.convalidated)
ORDER BY p.month
