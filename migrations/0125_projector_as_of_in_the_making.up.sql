-- What is past its time while it is still being made is left to who makes it: its name is taken by an
-- advisory lock until then.
DO $do$
DECLARE
    definition text := pg_get_functiondef('projector.drop_past_states'::regproc);
    before CONSTANT text := 'WHERE a.expires_at < clock_timestamp() ORDER BY 1';
    after CONSTANT text := 'WHERE a.expires_at < clock_timestamp()
        AND pg_try_advisory_xact_lock(hashtextextended(''daybook.as_of.'' || a.schema_name, 0)) ORDER BY 1';
BEGIN
    IF strpos(definition, before) = 0 THEN
        RAISE EXCEPTION 'projector.drop_past_states does not choose the way that this migration changes';
    END IF;
    EXECUTE replace(definition, before, after);
END
$do$;
