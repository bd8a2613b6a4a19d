-- A state of an instant, what changed between two, and what a slice of history makes are never changed once
-- they are complete: other states are made from them, and their digests are told. This refuses it to their
-- owner too, who makes the trigger when a schema is complete.
CREATE FUNCTION projector.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION '%.% is as it was, and is not changed', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege', HINT = 'Drop it with daybook as-of drop, and make it again.';
END
$$;
REVOKE ALL ON FUNCTION projector.refuse_change FROM PUBLIC;

DO $$
DECLARE
    complete record;
BEGIN
    FOR complete IN SELECT n.nspname, c.relname FROM projector.as_of a
                    JOIN pg_namespace n ON n.nspname = a.schema_name
                    JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
                    WHERE a.complete ORDER BY 1, 2
    LOOP
        EXECUTE format('CREATE TRIGGER as_it_was BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %I.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION projector.refuse_change()', complete.nspname, complete.relname);
    END LOOP;
END
$$;
