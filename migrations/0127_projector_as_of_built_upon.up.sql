-- A state that somebody has made something of, such as a view, is left for the next time like one that is
-- being read; the others that are past their time go.
DO $do$
DECLARE
    definition text := pg_get_functiondef('projector.drop_past_states'::regproc);
    before CONSTANT text := 'EXCEPTION WHEN lock_not_available THEN';
BEGIN
    IF strpos(definition, before) = 0 THEN
        RAISE EXCEPTION 'projector.drop_past_states does not wait the way that this migration changes';
    END IF;
    EXECUTE replace(definition, before, 'EXCEPTION WHEN lock_not_available OR dependent_objects_still_exist THEN');
END
$do$;
