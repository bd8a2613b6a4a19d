DO $do$
BEGIN
    EXECUTE replace(pg_get_functiondef('projector.drop_past_states'::regproc),
        'EXCEPTION WHEN lock_not_available OR dependent_objects_still_exist THEN', 'EXCEPTION WHEN lock_not_available THEN');
END
$do$;
