-- What tells that the trail up to an instant is not what it was: what was changed by hand, as far as it is in
-- that part or changed the trail itself, whenever that was; and where each part of the trail is kept, which is
-- another place after it was emptied or put in another's place, with how many of its rows were ever changed or
-- taken away.
SELECT md5(concat_ws(' ',
    (SELECT string_agg(md5(a::text), ' ' ORDER BY a.id) FROM public.audit_logs a
     WHERE a.id < 0 AND (a.created_at <= $1 OR a.entity_type = 'audit_logs')),
    (SELECT string_agg(format('%s %s', c.relfilenode, pg_stat_get_tuples_updated(c.oid) + pg_stat_get_tuples_deleted(c.oid)), ' ' ORDER BY c.oid)
     FROM pg_partition_tree('public.audit_logs') t JOIN pg_class c ON c.oid = t.relid WHERE t.isleaf)))
