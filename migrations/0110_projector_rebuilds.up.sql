-- Book-keeping of rebuilds, which fill a second set of read tables beside the live one and take its
-- place, and the partitions of such a set. What holds: a set has checkpoints here if and only if it
-- is complete, indexes and rights included; they move in the transactions that write its rows.

-- A row a rebuild, for people; a process that is killed leaves its row as it was.
CREATE TABLE projector.rebuilds (
    id uuid PRIMARY KEY,
    -- The build whose projections fill it.
    build text NOT NULL,
    state text NOT NULL CHECK (state IN ('filling', 'indexing', 'catching up', 'comparing', 'swapping',
        'live', 'differs', 'failed', 'interrupted', 'rolled back')),
    events_done bigint NOT NULL DEFAULT 0,
    events_total bigint NOT NULL DEFAULT 0,
    events_per_second double precision NOT NULL DEFAULT 0,
    seconds_left double precision,
    rows_written bigint NOT NULL DEFAULT 0,
    -- What differed from the live tables, where that was compared.
    rows_different bigint,
    -- Up to which position the tables were posted when they took their place.
    position bigint,
    message text,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz
);
CREATE INDEX idx_rebuilds_started_at ON projector.rebuilds (started_at DESC);

-- The checkpoints of a complete set of read tables that is not the live one.
CREATE TABLE projector.set_checkpoints (
    schema_name text NOT NULL,
    build text NOT NULL,
    lane smallint NOT NULL CHECK (lane BETWEEN 0 AND 63),
    lane_seq bigint NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (schema_name, lane)
);
GRANT SELECT ON projector.rebuilds, projector.set_checkpoints TO daybook_projector, daybook_maintenance;

-- As projector.make_partitions, of a table of the same name in another schema, for its owner alone.
CREATE FUNCTION projector.make_partitions_in(target text, parent text, from_time timestamptz, to_time timestamptz)
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
REVOKE ALL ON FUNCTION projector.make_partitions_in FROM PUBLIC;
