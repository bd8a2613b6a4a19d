-- Streams whose events are not versions 1 to n, or whose row says otherwise.
SELECT count(*)
FROM (
    SELECT stream_id, count(*) AS events, min(version) AS first, max(version) AS last
    FROM journal.events GROUP BY stream_id
) e
FULL JOIN journal.streams s USING (stream_id)
WHERE e.first IS DISTINCT FROM 1 OR e.last IS DISTINCT FROM e.events OR e.last IS DISTINCT FROM s.version
