-- The log. What holds here, whoever connects: positions dense from 1 in commit order, recorded_at
-- strictly growing with them, versions dense in a stream, lane_seq dense in a lane, a command id
-- applied once, events never changed. Absent on purpose: foreign keys, triggers on the hot path,
-- a default partition, NOTIFY, and any row that every append updates.

CREATE EXTENSION IF NOT EXISTS pgcrypto WITH SCHEMA public;
CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA public;

CREATE SCHEMA journal;
REVOKE ALL ON SCHEMA journal FROM PUBLIC;
GRANT USAGE ON SCHEMA journal TO
    daybook_log_owner, daybook_writer, daybook_projector, daybook_maintenance, daybook_analyst, daybook_auditor;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- One row: which log this is. The epoch moves when a failover may have lost its last moments.
CREATE TABLE journal.log (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    epoch bigint NOT NULL CHECK (epoch > 0),
    lanes smallint NOT NULL,
    made_at timestamptz NOT NULL
);
INSERT INTO journal.log (epoch, lanes, made_at) VALUES (1, 64, clock_timestamp());

CREATE TABLE journal.events (
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    occurred_at timestamptz,
    stream_id uuid NOT NULL,
    version bigint NOT NULL,
    lane_seq bigint NOT NULL,
    lane smallint NOT NULL,
    schema_version smallint NOT NULL,
    event_type text NOT NULL,
    command_id uuid NOT NULL,
    actor_id uuid NOT NULL,
    correlation_id uuid NOT NULL,
    tenant_id uuid,
    causation_id uuid,
    session_id uuid,
    ip_address inet,
    user_agent text,
    traceparent text,
    -- Pairs of lane and lane_seq, flat: the events of other lanes that must be posted first.
    after bigint[],
    data jsonb NOT NULL
) PARTITION BY RANGE (recorded_at);

-- A row a stream.
CREATE TABLE journal.streams (
    stream_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    -- The place in its lane of the event that last made its row exist.
    made_lane_seq bigint NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    closed_at timestamptz,
    lane smallint NOT NULL,
    kind text NOT NULL
) WITH (fillfactor = 60);

-- Business keys that at most one stream has. A released one stays, with where it was released.
CREATE TABLE journal.claims (
    scope text NOT NULL,
    key text NOT NULL,
    holder uuid,
    released_lane smallint,
    released_seq bigint,
    PRIMARY KEY (scope, key)
) WITH (fillfactor = 80);

-- While one lasts, its target does not close.
CREATE TABLE journal.holds (
    target uuid NOT NULL,
    holder uuid NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (target, holder)
);

-- What was answered to each command; kept for 13 months.
CREATE TABLE journal.commands (
    scope uuid NOT NULL,
    id uuid NOT NULL,
    fingerprint bytea NOT NULL,
    stream_id uuid NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    events integer NOT NULL,
    created boolean NOT NULL,
    PRIMARY KEY (scope, id)
);
-- Finds what is past its time; costs nothing to keep up.
CREATE INDEX idx_commands_recorded_at ON journal.commands USING brin (recorded_at);

-- A row an append, never updated; the newest is the head. One without events makes an instant answerable.
CREATE TABLE journal.batches (
    batch bigint PRIMARY KEY,
    position bigint NOT NULL,
    events integer NOT NULL,
    recorded_at timestamptz NOT NULL,
    lane_heads bigint[] NOT NULL
);
INSERT INTO journal.batches (batch, position, events, recorded_at, lane_heads)
VALUES (0, 0, 0, clock_timestamp(), array_fill(0::bigint, ARRAY[64]));

-- A stream's folded state at a version: a shortcut, never the truth. Another shape is ignored.
CREATE TABLE journal.snapshots (
    stream_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    shape text NOT NULL,
    state jsonb NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Changes that somebody made by hand to a read table, which the log knows nothing of.
CREATE TABLE journal.drift (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_name text NOT NULL,
    row_key jsonb NOT NULL,
    old_values jsonb,
    new_values jsonb,
    db_user text NOT NULL DEFAULT session_user,
    client_addr inet DEFAULT inet_client_addr(),
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE FUNCTION journal.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% on %.% is refused: what was written stays as it was written',
        TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON journal.events
    FOR EACH STATEMENT EXECUTE FUNCTION journal.refuse_change();
ALTER TABLE journal.events ENABLE ALWAYS TRIGGER never_changed;
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON journal.drift
    FOR EACH STATEMENT EXECUTE FUNCTION journal.refuse_change();
ALTER TABLE journal.drift ENABLE ALWAYS TRIGGER never_changed;

-- The log's clock. Only its owner can put another in its place.
CREATE FUNCTION journal.clock() RETURNS timestamptz
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS 'SELECT clock_timestamp()';

-- Makes the partitions of the months from one to another, both included, that are not there yet.
-- Made aside and attached, so that it never waits for a reader and no append waits for it.
-- Returns the names of those made.
CREATE FUNCTION journal.make_partitions(p_from date, p_to date) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    month timestamptz := date_trunc('month', p_from::timestamptz);
    name text;
BEGIN
    IF p_to > p_from + 3700 THEN
        RAISE EXCEPTION 'from % to % is more than ten years', p_from, p_to USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(5846072195403715301);
    WHILE month <= p_to::timestamptz LOOP
        name := 'events_' || to_char(month, 'YYYY_MM');
        IF to_regclass('journal.' || name) IS NULL THEN
            EXECUTE format('CREATE TABLE journal.%I (LIKE journal.events INCLUDING DEFAULTS INCLUDING STORAGE)', name);
            EXECUTE format('CREATE UNIQUE INDEX %I ON journal.%I (stream_id, version)', name || '_stream_version', name);
            EXECUTE format('CREATE UNIQUE INDEX %I ON journal.%I (position)', name || '_position', name);
            -- A statement trigger of the parent does not fire for what is done to a partition.
            EXECUTE format('CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON journal.%I '
                'FOR EACH STATEMENT EXECUTE FUNCTION journal.refuse_change()', name);
            EXECUTE format('ALTER TABLE journal.%I ENABLE ALWAYS TRIGGER never_changed', name);
            EXECUTE format('ALTER TABLE journal.events ATTACH PARTITION journal.%I FOR VALUES FROM (%L) TO (%L)',
                name, month, month + interval '1 month');
            RETURN NEXT name;
        END IF;
        month := month + interval '1 month';
    END LOOP;
END
$$;
SELECT journal.make_partitions((now() - interval '1 month')::date, (now() + interval '3 months')::date);

-- Bounds a closed month's positions, for planner and auditor alike. Its two halves are two
-- transactions: the first needs every reader of the month for a moment (and gives up after two
-- seconds), the second, which reads the month, disturbs nobody. Neither touches the append lock.
CREATE FUNCTION journal.close_month(p_month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '2s' AS $$
DECLARE
    name text := 'events_' || to_char(p_month, 'YYYY_MM');
    month_end timestamptz := date_trunc('month', p_month::timestamptz) + interval '1 month';
    first_position bigint;
    last_position bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM journal.batches b WHERE b.recorded_at >= month_end) THEN
        RAISE EXCEPTION 'the month of % is not over: nothing was recorded after it', p_month
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF EXISTS (SELECT FROM pg_constraint c
               WHERE c.conrelid = ('journal.' || name)::regclass AND c.conname = name || '_positions') THEN
        RETURN false;
    END IF;
    EXECUTE format('SELECT min(position), max(position) FROM journal.%I', name) INTO first_position, last_position;
    EXECUTE format('ALTER TABLE journal.%I ADD CONSTRAINT %I CHECK (position BETWEEN %s AND %s) NOT VALID',
        name, name || '_positions', COALESCE(first_position, 0), COALESCE(last_position, 0));
    RETURN true;
END
$$;

CREATE FUNCTION journal.validate_month(p_month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text := 'events_' || to_char(p_month, 'YYYY_MM');
BEGIN
    EXECUTE format('ALTER TABLE journal.%I VALIDATE CONSTRAINT %I', name, name || '_positions');
END
$$;

-- Makes an instant of the past answerable: appends a batch without events at that instant, if the
-- newest one is older. Returns the log's last moment.
CREATE FUNCTION journal.tick(p_instant timestamptz) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    last record;
BEGIN
    SELECT b.recorded_at INTO STRICT last FROM journal.batches b ORDER BY b.batch DESC LIMIT 1;
    IF last.recorded_at >= p_instant OR p_instant > journal.clock() THEN
        RETURN last.recorded_at;
    END IF;
    PERFORM pg_advisory_xact_lock(5846072195403715300);
    INSERT INTO journal.batches (batch, position, events, recorded_at, lane_heads)
    SELECT b.batch + 1, b.position, 0, p_instant, b.lane_heads
    FROM (SELECT * FROM journal.batches ORDER BY batch DESC LIMIT 1) b
    WHERE b.recorded_at < p_instant AND p_instant <= journal.clock();
    SELECT b.recorded_at INTO STRICT last FROM journal.batches b ORDER BY b.batch DESC LIMIT 1;
    RETURN last.recorded_at;
END
$$;

-- The last position recorded at or before an instant: a search by halves, since time grows with
-- position. Bounding the time as well lets the planner leave out all months but one.
CREATE FUNCTION journal.position_at(p_instant timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
    low bigint := 0;
    low_at timestamptz := '-infinity';
    high bigint;
    high_at timestamptz;
    middle bigint;
    middle_at timestamptz;
BEGIN
    SELECT b.position + 1, 'infinity' INTO STRICT high, high_at FROM journal.batches b ORDER BY b.batch DESC LIMIT 1;
    WHILE high - low > 1 LOOP
        middle := (low + high) / 2;
        SELECT e.recorded_at INTO STRICT middle_at FROM journal.events e
        WHERE e.position = middle AND e.recorded_at > low_at AND e.recorded_at < high_at;
        IF middle_at <= p_instant THEN
            low := middle;
            low_at := middle_at;
        ELSE
            high := middle;
            high_at := middle_at;
        END IF;
    END LOOP;
    RETURN low;
END
$$;

-- Takes away at most so many commands that are past their 13 months. Returns how many.
CREATE FUNCTION journal.forget_commands(p_at_most integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    gone bigint;
BEGIN
    DELETE FROM journal.commands c WHERE c.ctid = ANY (ARRAY(
        SELECT o.ctid FROM journal.commands o WHERE o.recorded_at < journal.clock() - interval '13 months' LIMIT p_at_most));
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;

-- Takes away at most so many batches older than the newest 10,000. Returns how many.
CREATE FUNCTION journal.forget_batches(p_at_most integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
    gone bigint;
BEGIN
    DELETE FROM journal.batches b WHERE b.batch IN (
        SELECT o.batch FROM journal.batches o
        WHERE o.batch < (SELECT max(n.batch) - 10000 FROM journal.batches n)
        ORDER BY o.batch LIMIT p_at_most);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;

-- The definer functions' owner cannot log in and owns no table: it has the rights that they need.
GRANT SELECT ON journal.log TO daybook_log_owner;
GRANT INSERT ON journal.events TO daybook_log_owner;
GRANT SELECT, INSERT, UPDATE ON journal.streams, journal.claims TO daybook_log_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON journal.holds TO daybook_log_owner;
GRANT SELECT, INSERT, DELETE ON journal.commands, journal.batches TO daybook_log_owner;
GRANT EXECUTE ON FUNCTION journal.clock() TO daybook_log_owner;
GRANT CREATE ON SCHEMA journal TO daybook_log_owner;
ALTER FUNCTION journal.tick OWNER TO daybook_log_owner;
ALTER FUNCTION journal.forget_commands OWNER TO daybook_log_owner;
ALTER FUNCTION journal.forget_batches OWNER TO daybook_log_owner;
REVOKE CREATE ON SCHEMA journal FROM daybook_log_owner;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA journal FROM PUBLIC;
GRANT EXECUTE ON FUNCTION journal.tick TO daybook_writer, daybook_projector, daybook_auditor;
GRANT EXECUTE ON FUNCTION journal.position_at TO daybook_writer, daybook_projector, daybook_auditor;
GRANT EXECUTE ON FUNCTION journal.clock() TO daybook_writer, daybook_projector, daybook_maintenance, daybook_auditor;
GRANT EXECUTE ON FUNCTION journal.make_partitions, journal.close_month, journal.validate_month,
    journal.forget_commands, journal.forget_batches TO daybook_maintenance;
-- Never on a partition: what is read there goes around the parent's policies.
GRANT SELECT ON journal.log, journal.events, journal.streams, journal.claims, journal.holds, journal.commands,
    journal.batches, journal.snapshots TO daybook_writer, daybook_projector, daybook_auditor;
GRANT SELECT ON journal.log, journal.batches, journal.drift TO daybook_maintenance;
GRANT INSERT, UPDATE, DELETE ON journal.snapshots TO daybook_writer;
GRANT SELECT ON journal.drift TO daybook_projector, daybook_auditor;
