-- Monthly partitions that should be there and are not: (name, whether it is this month's).
WITH months AS (
    SELECT date_trunc('month', now() AT TIME ZONE 'UTC') AS month, true AS now
    UNION ALL
    SELECT date_trunc('month', now() AT TIME ZONE 'UTC') + interval '1 month', false
)
SELECT format('journal.events_%s', to_char(month, 'YYYY_MM')), now
FROM months
WHERE to_regclass(format('journal.events_%s', to_char(month, 'YYYY_MM'))) IS NULL
UNION ALL
SELECT format('public.%s%s', t.table_name, to_char(month, t.suffix)), now
FROM months, projector.monthly_tables t
WHERE to_regclass(format('public.%I', t.table_name || to_char(month, t.suffix))) IS NULL
ORDER BY 2 DESC, 1
