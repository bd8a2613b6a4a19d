-- The projector's own book-keeping: who posts which lane, how far each lane is posted, what could
-- not be posted. Nothing here comes from the log, and nothing here is needed to post it again.
--
-- How far a lane is posted is insert-only (projector.moves): a row that every batch updates would
-- slow down under a long snapshot, which keeps all its versions alive.

CREATE SCHEMA projector;
GRANT USAGE ON SCHEMA projector
    TO daybook_projector, daybook_maintenance, daybook_writer, application_role, daybook_analyst, daybook_auditor;

-- Whether workers share the lanes by lease here, or Kafka's consumer group gives them out. A fact
-- about this database, so that two processes with different configurations cannot both be right.
CREATE TABLE projector.ownership (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    mode text NOT NULL DEFAULT 'lease' CHECK (mode IN ('lease', 'kafka')),
    updated_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO projector.ownership DEFAULT VALUES;

-- Workers that are alive: one row each, renewed every second or two.
CREATE TABLE projector.workers (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    version int NOT NULL,
    host text NOT NULL,
    pid int NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    lease_until timestamptz NOT NULL
);

-- Who owns a lane. Changes only when a lane changes hands; `epoch` grows each time.
CREATE TABLE projector.lanes (
    name text NOT NULL,
    version int NOT NULL,
    lane smallint NOT NULL CHECK (lane BETWEEN 0 AND 63),
    epoch bigint NOT NULL DEFAULT 0,
    owner uuid,
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (name, version, lane)
);

-- How far each lane is posted: the row with the highest `from_seq` is the checkpoint. A batch
-- inserts one row a lane in the transaction that writes its rows; older ones are pruned.
CREATE TABLE projector.moves (
    name text NOT NULL,
    version int NOT NULL,
    lane smallint NOT NULL,
    from_seq bigint NOT NULL,
    lane_seq bigint NOT NULL,
    position bigint NOT NULL,
    epoch bigint NOT NULL,
    moved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (name, version, lane, from_seq),
    CHECK (lane_seq > from_seq)
);

-- Events that could not be posted: their lane stops until they can.
CREATE TABLE projector.parked (
    name text NOT NULL,
    version int NOT NULL,
    lane smallint NOT NULL,
    lane_seq bigint NOT NULL,
    position bigint NOT NULL,
    stream_id uuid NOT NULL,
    event_type text NOT NULL,
    error text NOT NULL,
    attempts int NOT NULL DEFAULT 1,
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    tried_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    retry boolean NOT NULL DEFAULT false,
    PRIMARY KEY (name, version, lane)
);

-- Lanes whose next event waits for another lane's, kept by their owners for people to see.
CREATE TABLE projector.waiting (
    name text NOT NULL,
    version int NOT NULL,
    lane smallint NOT NULL,
    lane_seq bigint NOT NULL,
    position bigint NOT NULL,
    for_lane smallint NOT NULL,
    for_lane_seq bigint NOT NULL,
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (name, version, lane)
);

-- The checkpoints as one reads them.
CREATE VIEW projector.checkpoints AS
SELECT l.name, l.version, l.lane,
       COALESCE(m.lane_seq, 0) AS lane_seq,
       COALESCE(m.position, 0) AS position,
       l.epoch, l.owner, w.lease_until,
       COALESCE(m.moved_at, l.since) AS updated_at
FROM projector.lanes l
LEFT JOIN projector.workers w ON w.id = l.owner
LEFT JOIN LATERAL (
    SELECT * FROM projector.moves m
    WHERE (m.name, m.version, m.lane) = (l.name, l.version, l.lane)
    ORDER BY m.from_seq DESC LIMIT 1
) m ON true;

GRANT SELECT, INSERT, UPDATE, DELETE
    ON projector.workers, projector.lanes, projector.moves, projector.parked, projector.waiting
    TO daybook_projector;
GRANT SELECT ON ALL TABLES IN SCHEMA projector
    TO daybook_projector, daybook_maintenance, daybook_writer, application_role, daybook_analyst, daybook_auditor;
-- Asking for a parked event to be tried again.
GRANT UPDATE (retry) ON projector.parked TO daybook_maintenance;

-- Read tables that are partitioned by month, and how their partitions are called.
CREATE TABLE projector.monthly_tables (
    table_name text PRIMARY KEY,
    column_name text NOT NULL,
    suffix text NOT NULL
);
GRANT SELECT ON projector.monthly_tables TO daybook_projector, daybook_maintenance;

-- Makes the monthly partitions of a read table for the months from `from_time`'s to `to_time`'s, and
-- answers how many it made. Each is made aside and attached: making it in place would queue writers
-- behind a slow reader. Partitions carry no grants: a reader of one would go around its parent's
-- policies.
CREATE FUNCTION projector.make_partitions(parent text, from_time timestamptz, to_time timestamptz)
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
REVOKE EXECUTE ON FUNCTION projector.make_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION projector.make_partitions TO daybook_projector, daybook_maintenance;

-- Keeps updated_at right for whoever changes a read table by hand. The projector's own writes carry
-- the log's time: it stands aside for that role, and for the owner, who rebuilds. Decided by role,
-- never by a setting that anyone could set.
CREATE FUNCTION public.update_updated_at_column() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.updated_at = CURRENT_TIMESTAMP;
    RETURN NEW;
END
$$;
CREATE FUNCTION public.update_updated_at() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.updated_at = CURRENT_TIMESTAMP;
    RETURN NEW;
END
$$;
