-- Refused while a table is partitioned by week: its migration goes down first.
ALTER TABLE projector.monthly_tables DROP COLUMN period;

CREATE OR REPLACE FUNCTION projector.make_partitions(parent text, from_time timestamptz, to_time timestamptz)
RETURNS int
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    known projector.monthly_tables;
    month timestamptz := date_trunc('month', from_time);
    child text;
    made int := 0;
BEGIN
    SELECT * INTO known FROM projector.monthly_tables t WHERE t.table_name = parent;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'table % is not partitioned by month', parent USING ERRCODE = 'undefined_table';
    END IF;
    IF to_time - from_time > interval '200 years' THEN
        RAISE EXCEPTION 'more than 200 years of partitions at once' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('daybook.partitions.' || parent, 0));
    WHILE month <= to_time LOOP
        child := parent || to_char(month, known.suffix);
        IF to_regclass(format('public.%I', child)) IS NULL THEN
            EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED)', child, parent);
            EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT month_of_partition CHECK (%I IS NOT NULL AND %I >= %L AND %I < %L)',
                child, known.column_name, known.column_name, month, known.column_name, month + interval '1 month');
            EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                parent, child, month, month + interval '1 month');
            EXECUTE format('ALTER TABLE public.%I DROP CONSTRAINT month_of_partition', child);
            made := made + 1;
        END IF;
        month := month + interval '1 month';
    END LOOP;
    RETURN made;
END
$$;
