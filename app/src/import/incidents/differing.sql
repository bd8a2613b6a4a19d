-- How many of these tickets ($1) were reopened another number of times than the source's counter says
-- ($2), reassigned another number of times than the source's rows show ($3), or stand elsewhere than
-- in its last row ($4). A ticket that is missing differs in all.
SELECT count(*) FILTER (WHERE ours.reopen_count IS DISTINCT FROM source.reopenings),
       count(*) FILTER (WHERE ours.reassignment_count IS DISTINCT FROM source.reassignments),
       count(*) FILTER (WHERE ours.status IS DISTINCT FROM source.status)
FROM unnest($1::uuid[], $2::int[], $3::int[], $4::text[]) AS source (id, reopenings, reassignments, status)
LEFT JOIN public.support_tickets AS ours ON ours.id = source.id
