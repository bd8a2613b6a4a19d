-- Transactions of others in this database that hold a snapshot: who, which transaction, as whom. Those
-- that wait for $1 (a worker at its lanes) have done nothing yet, and find what $1 leaves.
SELECT a.pid, l.virtualtransaction, a.usename::text
FROM pg_locks l
JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'virtualxid' AND l.granted AND a.backend_xmin IS NOT NULL
  AND a.datname = current_database() AND a.usesysid IS NOT NULL
  AND a.pid NOT IN (pg_backend_pid(), $1) AND NOT $1 = ANY (pg_blocking_pids(a.pid))
