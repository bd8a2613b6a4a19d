-- Of how many bytes of the tables of the schema $1 indexes are being made right now, as far as they are:
-- the first half of making one is to read its table, the second to write it.
SELECT COALESCE(sum(size * (partitions_done + LEAST(this, 1)) / GREATEST(partitions_total, 1)), 0)::bigint
FROM (
    SELECT p.partitions_done, p.partitions_total,
           CASE WHEN p.tuples_total > 0 THEN 0.5 + 0.5 * p.tuples_done / p.tuples_total
                WHEN p.blocks_total > 0 THEN 0.5 * p.blocks_done / p.blocks_total
                ELSE 0 END AS this,
           (SELECT sum(pg_relation_size(t.relid)) FROM pg_partition_tree(COALESCE(pg_partition_root(p.relid), p.relid)) t) AS size
    FROM pg_stat_progress_create_index p
    JOIN pg_class w ON w.oid = p.relid
    WHERE w.relnamespace = to_regnamespace($1::text) AND p.datname = current_database()
) AS under_way
