-- 2 GB of log, in files of 16 MB: each is begun, which fills it with zeros, and left for the next.
DO $$
BEGIN
    FOR n IN 1 .. 128 LOOP
        PERFORM pg_logical_emit_message(false, 'daybook-bench', n::text);
        PERFORM pg_switch_wal();
    END LOOP;
END
$$;
