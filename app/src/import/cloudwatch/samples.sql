-- How many of these samples ($1, $2) of a server ($3) and a metric ($4) have another value here, are
-- missing, or are here and not there.
SELECT count(*)
FROM unnest($1::timestamptz[], $2::numeric[]) AS theirs (recorded_at, value)
FULL JOIN (
    SELECT recorded_at, value FROM public.dc_usage_metrics WHERE server_id = $3 AND metric_type = $4
) AS ours ON ours.recorded_at = theirs.recorded_at
WHERE ours.value IS DISTINCT FROM theirs.value
