-- Partitions that should be there and are not: (name, whether it is this month's or this week's).
WITH known (name, suffix, period) AS (
    SELECT 'journal.events', '"_"YYYY"_"MM', 'month'
    UNION ALL
    SELECT 'public.' || table_name, suffix, period FROM projector.monthly_tables
), wanted AS (
    SELECT name || to_char(date_trunc(period, now() AT TIME ZONE 'UTC'), suffix) AS name, true AS now
    FROM known
    UNION ALL
    SELECT name || to_char(date_trunc(period, now() AT TIME ZONE 'UTC') + ('1 ' || period)::interval, suffix), false
    FROM known
)
SELECT name, now FROM wanted WHERE to_regclass(name) IS NULL ORDER BY 2 DESC, 1
