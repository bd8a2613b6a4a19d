-- The whole read model as it stood at an instant: schemas of their own, made by `daybook as-of`, that
-- auditors read by SQL and nobody writes. What holds: each has a row here from before it is made until
-- after it is gone, so that none is forgotten, however its making ended.

CREATE TABLE projector.as_of (
    schema_name text PRIMARY KEY,
    -- Everything up to here is in it, and nothing after.
    position bigint NOT NULL,
    -- The instant that was asked for, or when the event at that position was recorded.
    instant timestamptz NOT NULL,
    log_epoch bigint NOT NULL,
    model_version int NOT NULL,
    build text NOT NULL,
    complete boolean NOT NULL DEFAULT false,
    -- The position of the earlier state that it was made from; empty: from the beginning.
    made_from bigint,
    rows_written bigint,
    -- SHA-256 of each table's rows, by table.
    digests jsonb,
    made_by text NOT NULL DEFAULT session_user,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Empty: kept until it is dropped by name.
    expires_at timestamptz
);
GRANT SELECT ON projector.as_of TO daybook_projector, daybook_maintenance, daybook_auditor;

-- Drops the states that are past their time, and answers their names. One that is being read is left
-- for the next time.
CREATE FUNCTION projector.drop_past_states() RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    past text;
    found text;
BEGIN
    FOR past IN SELECT a.schema_name FROM projector.as_of a WHERE a.expires_at < clock_timestamp() ORDER BY 1 LOOP
        BEGIN
            SELECT string_agg(format('%I.%I', past, c.relname), ', ') INTO found
            FROM pg_class c WHERE c.relnamespace = to_regnamespace(quote_ident(past)) AND c.relkind = 'v';
            IF found IS NOT NULL THEN
                EXECUTE 'DROP VIEW ' || found;
            END IF;
            SELECT string_agg(format('%I.%I', past, c.relname), ', ') INTO found
            FROM pg_class c WHERE c.relnamespace = to_regnamespace(quote_ident(past)) AND c.relkind IN ('r', 'p') AND NOT c.relispartition;
            IF found IS NOT NULL THEN
                EXECUTE 'DROP TABLE ' || found;
            END IF;
            EXECUTE format('DROP SCHEMA IF EXISTS %I', past);
            DELETE FROM projector.set_checkpoints s WHERE s.schema_name = past;
            DELETE FROM projector.as_of a WHERE a.schema_name = past;
            RETURN NEXT past;
        EXCEPTION WHEN lock_not_available THEN
            NULL;
        END;
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION projector.drop_past_states FROM PUBLIC;
GRANT EXECUTE ON FUNCTION projector.drop_past_states TO daybook_maintenance;
