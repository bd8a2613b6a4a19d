-- Lanes whose events are not 1 to n, or whose head in the newest batch says otherwise.
SELECT count(*)
FROM (
    SELECT (n - 1)::smallint AS lane, head
    FROM (SELECT lane_heads FROM journal.batches ORDER BY batch DESC LIMIT 1) newest,
         unnest(newest.lane_heads) WITH ORDINALITY AS heads (head, n)
) h
FULL JOIN (
    SELECT lane, count(*) AS events, min(lane_seq) AS first, max(lane_seq) AS last
    FROM journal.events GROUP BY lane
) e USING (lane)
WHERE COALESCE(e.last, 0) IS DISTINCT FROM h.head OR COALESCE(e.events, 0) IS DISTINCT FROM h.head
   OR e.first > 1
