DO $$
DECLARE
    statement text;
BEGIN
    FOR statement IN
        SELECT format('DROP TRIGGER %I ON %s', g.tgname, g.tgrelid::regclass)
        FROM pg_trigger g
        JOIN pg_inherits i ON i.inhrelid = g.tgrelid
        JOIN pg_class c ON c.oid = g.tgrelid
        WHERE NOT g.tgisinternal AND g.tgparentid = 0 AND g.tgtype & 33 = 32 AND g.tgname LIKE 'log\_%\_truncated'
          AND c.relnamespace = 'public'::regnamespace
    LOOP
        EXECUTE statement;
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION projector.make_partitions(parent text, from_time timestamptz, to_time timestamptz)
RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    known projector.monthly_tables;
    first timestamptz;
    step interval;
    child text;
    made int := 0;
BEGIN
    SELECT * INTO known FROM projector.monthly_tables t WHERE t.table_name = parent;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'table % is not partitioned by time', parent USING ERRCODE = 'undefined_table';
    END IF;
    first := date_trunc(known.period, from_time);
    step := ('1 ' || known.period)::interval;
    IF to_time - from_time > interval '200 years' THEN
        RAISE EXCEPTION 'more than 200 years of partitions at once' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('daybook.partitions.' || parent, 0));
    WHILE first <= to_time LOOP
        child := parent || to_char(first, known.suffix);
        IF to_regclass(format('public.%I', child)) IS NULL THEN
            EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED)', child, parent);
            EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT period_of_partition CHECK (%I IS NOT NULL AND %I >= %L AND %I < %L)',
                child, known.column_name, known.column_name, first, known.column_name, first + step);
            EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                parent, child, first, first + step);
            EXECUTE format('ALTER TABLE public.%I DROP CONSTRAINT period_of_partition', child);
            made := made + 1;
        END IF;
        first := first + step;
    END LOOP;
    RETURN made;
END
$$;

CREATE OR REPLACE FUNCTION projector.make_partitions_in(target text, parent text, from_time timestamptz, to_time timestamptz)
RETURNS int
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    known projector.monthly_tables;
    first timestamptz;
    step interval;
    child text;
    made int := 0;
BEGIN
    SELECT * INTO known FROM projector.monthly_tables t WHERE t.table_name = parent;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'table % is not partitioned by time', parent USING ERRCODE = 'undefined_table';
    END IF;
    first := date_trunc(known.period, from_time);
    step := ('1 ' || known.period)::interval;
    PERFORM pg_advisory_xact_lock(hashtextextended('daybook.partitions.' || target || '.' || parent, 0));
    WHILE first <= to_time LOOP
        child := parent || to_char(first, known.suffix);
        IF to_regclass(format('%I.%I', target, child)) IS NULL THEN
            EXECUTE format('CREATE TABLE %I.%I (LIKE %I.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED)',
                target, child, target, parent);
            EXECUTE format('ALTER TABLE %I.%I ADD CONSTRAINT period_of_partition CHECK (%I IS NOT NULL AND %I >= %L AND %I < %L)',
                target, child, known.column_name, known.column_name, first, known.column_name, first + step);
            EXECUTE format('ALTER TABLE %I.%I ATTACH PARTITION %I.%I FOR VALUES FROM (%L) TO (%L)',
                target, parent, target, child, first, first + step);
            EXECUTE format('ALTER TABLE %I.%I DROP CONSTRAINT period_of_partition', target, child);
            made := made + 1;
        END IF;
        first := first + step;
    END LOOP;
    RETURN made;
END
$$;

CREATE OR REPLACE PROCEDURE projector.watch(named text, entity text, keys text[], writes text DEFAULT 'log_changes')
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    arguments CONSTANT text := (SELECT string_agg(quote_literal(a), ', ') FROM unnest(ARRAY[named, entity] || keys) a);
    -- A cascade runs as the owner, beneath a trigger; what this trigger itself writes does so as well.
    condition CONSTANT text := 'current_user NOT IN (''daybook_projector'', ''daybook_migrator'')'
        || CASE WHEN named = 'audit_logs' THEN '' ELSE ' OR pg_trigger_depth() > 0' END;
BEGIN
    EXECUTE format('CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON public.%I FOR EACH ROW WHEN (%s) EXECUTE FUNCTION public.%I(%s)',
        'log_' || named || '_changes', named, condition, writes, arguments);
    EXECUTE format('CREATE TRIGGER %I AFTER TRUNCATE ON public.%I FOR EACH STATEMENT WHEN (%s) EXECUTE FUNCTION public.%I(%s)',
        'log_' || named || '_truncated', named, condition, writes, arguments);
END
$$;
CREATE OR REPLACE PROCEDURE projector.unwatch(named text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('DROP TRIGGER %I ON public.%I', 'log_' || named || '_changes', named);
    EXECUTE format('DROP TRIGGER %I ON public.%I', 'log_' || named || '_truncated', named);
END
$$;

CREATE OR REPLACE FUNCTION public.log_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    noted CONSTANT bigint := projector.note_change(TG_ARGV[0], TG_ARGV[1], TG_ARGV[2:],
        CASE WHEN TG_OP IN ('UPDATE', 'DELETE') THEN to_jsonb(OLD) WHEN TG_OP = 'TRUNCATE' THEN '{"truncated": false}' END,
        CASE WHEN TG_OP IN ('INSERT', 'UPDATE') THEN to_jsonb(NEW) WHEN TG_OP = 'TRUNCATE' THEN '{"truncated": true}' END);
BEGIN
    IF noted IS NOT NULL THEN
        PERFORM projector.make_partitions('audit_logs', now(), now());
        INSERT INTO public.audit_logs (id, user_id, action, entity_type, entity_id, old_values, new_values, ip_address,
            created_at, position, event_type, stream_id, version, correlation_id, session_id, user_agent)
        SELECT d.* FROM journal.drift_audit_logs d WHERE d.id = -noted;
    END IF;
    RETURN NULL;
END
$$;

DROP FUNCTION projector.watch_partition;
