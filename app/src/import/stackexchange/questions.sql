-- How many of these questions ($1) have another author ($2), title ($3), text ($4) or time ($5) as
-- posts, or are missing.
SELECT count(*)
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[])
    AS site (id, author, title, body, asked_at)
LEFT JOIN public.posts AS ours ON ours.id = site.id
WHERE (ours.user_id, ours.title, ours.content, ours.published_at)
    IS DISTINCT FROM (site.author, site.title, site.body, site.asked_at)
