DO $$
DECLARE
    watched record;
BEGIN
    FOR watched IN SELECT g.tgrelid::regclass AS relation FROM pg_trigger g
                   WHERE g.tgfoid = 'projector.refuse_change'::regproc AND g.tgparentid = 0
    LOOP
        EXECUTE format('DROP TRIGGER as_it_was ON %s', watched.relation);
    END LOOP;
END
$$;
DROP FUNCTION projector.refuse_change();
