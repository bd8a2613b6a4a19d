-- Read tables may be partitioned by ISO week too (Monday to Sunday, UTC). The table that lists them keeps
-- the name that earlier migrations write to.
ALTER TABLE projector.monthly_tables ADD COLUMN period text NOT NULL DEFAULT 'month'
    CONSTRAINT chk_monthly_tables_period CHECK (period IN ('month', 'week'));

-- Makes the partitions of a read table for the months or weeks from `from_time`'s to `to_time`'s, and
-- answers how many it made. As before: each is made aside and attached, and carries no grants.
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
