-- (workers alive, events not yet posted, seconds since the oldest of them was recorded).
WITH heads AS (
    SELECT (n - 1)::smallint AS lane, head
    FROM (SELECT lane_heads FROM journal.batches ORDER BY batch DESC LIMIT 1) newest,
         unnest(newest.lane_heads) WITH ORDINALITY AS heads (head, n)
), behind AS (
    SELECT h.lane, h.head, COALESCE(c.lane_seq, 0) AS posted, COALESCE(c.position, 0) AS position
    FROM heads h
    LEFT JOIN projector.checkpoints c
        ON c.lane = h.lane AND c.version = (SELECT max(version) FROM projector.checkpoints)
    WHERE h.head > COALESCE(c.lane_seq, 0)
)
SELECT
    (SELECT count(*) FROM projector.workers WHERE lease_until > clock_timestamp()),
    COALESCE((SELECT sum(head - posted) FROM behind), 0)::bigint,
    COALESCE(extract(epoch FROM clock_timestamp() - (
        SELECT min(oldest.recorded_at) FROM behind b, LATERAL (
            SELECT e.recorded_at FROM journal.events e
            WHERE e.position > b.position AND e.lane = b.lane
            ORDER BY e.position LIMIT 1
        ) oldest
    )), 0)::float8
