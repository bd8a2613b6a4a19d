-- One worker's turn in sharing the lanes, serialised by the lock that the caller holds: gives back
-- what is above its share, takes what nobody alive owns up to its share, and answers what it has.
WITH alive AS (
    SELECT w.id, row_number() OVER (ORDER BY w.id) - 1 AS rank, count(*) OVER () AS workers
    FROM projector.workers w
    WHERE w.name = $1 AND w.version = $2 AND w.lease_until > clock_timestamp()
), share AS (
    SELECT 64 / workers + (rank < 64 % workers)::int AS lanes FROM alive WHERE id = $3
), lanes AS (
    SELECT l.lane,
           l.owner IS NOT DISTINCT FROM $3 AS mine,
           l.owner IS NULL OR NOT EXISTS (SELECT FROM alive WHERE alive.id = l.owner) AS free
    FROM projector.lanes l
    WHERE l.name = $1 AND l.version = $2
), surplus AS (
    SELECT lane FROM lanes WHERE mine
    ORDER BY lane
    OFFSET (SELECT lanes FROM share)
), taken AS (
    SELECT lane FROM lanes WHERE free
    ORDER BY lane
    LIMIT GREATEST(0, (SELECT lanes FROM share) - (SELECT count(*) FROM lanes WHERE mine))
)
UPDATE projector.lanes l
SET owner = CASE WHEN l.lane IN (SELECT lane FROM taken) THEN $3 END,
    epoch = l.epoch + 1,
    since = clock_timestamp()
WHERE l.name = $1 AND l.version = $2
  AND (l.lane IN (SELECT lane FROM taken) OR l.lane IN (SELECT lane FROM surplus))
