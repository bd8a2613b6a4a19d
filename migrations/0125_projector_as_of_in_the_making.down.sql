DO $do$
DECLARE
    definition text := pg_get_functiondef('projector.drop_past_states'::regproc);
    before CONSTANT text := 'WHERE a.expires_at < clock_timestamp() ORDER BY 1';
    after CONSTANT text := 'WHERE a.expires_at < clock_timestamp()
        AND pg_try_advisory_xact_lock(hashtextextended(''daybook.as_of.'' || a.schema_name, 0)) ORDER BY 1';
BEGIN
    EXECUTE replace(definition, after, before);
END
$do$;
