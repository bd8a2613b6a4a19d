-- Events after position $1 up to $2: how many, the first, the last, and how many are not later than
-- the one before.
SELECT count(*), min(position), max(position), count(*) FILTER (WHERE recorded_at <= before)
FROM (
    SELECT position, recorded_at, lag(recorded_at) OVER (ORDER BY position) AS before
    FROM journal.events
    WHERE position > $1 AND position <= $2
) events
