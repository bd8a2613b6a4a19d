-- What tells that the trail up to an instant is not what it was: what was changed by hand, as far as it is in
-- that part or changed the trail itself, whenever that was; and of the rows of events, before $2 and before $3,
-- where each stands and which transaction wrote it: a row that is changed stands elsewhere, as another's.
SELECT COALESCE((SELECT md5(string_agg(md5(a::text), ' ' ORDER BY a.id)) FROM public.audit_logs a
                 WHERE (a.id < 0 OR a.position IS NULL) AND (a.created_at <= $1 OR a.entity_type = 'audit_logs')), '') AS by_hand,
       format('%s %s', count(*) FILTER (WHERE r.id < $2), bit_xor(r.mark) FILTER (WHERE r.id < $2)) AS before,
       format('%s %s', count(*), bit_xor(r.mark)) AS whole
FROM (
    SELECT a.id, hash_record_extended(ROW(a.tableoid, a.ctid, a.xmin), 0) AS mark
    FROM public.audit_logs a WHERE a.id >= 0 AND a.position IS NOT NULL AND a.id < $3
) r
