-- How many of these answers ($1) have another author ($2), question ($3), text ($4) or time ($5) as
-- comments, or are missing.
SELECT count(*)
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[])
    AS site (id, author, question, body, answered_at)
LEFT JOIN public.comments AS ours ON ours.id = site.id
WHERE (ours.user_id, ours.post_id::text, ours.content, ours.written_at)
    IS DISTINCT FROM (site.author, site.question, site.body, site.answered_at)
