-- The function as it was, with an array a column. An event that was appended as a removal keeps
-- what it is posted after.
DROP PROCEDURE journal.append;
DROP FUNCTION journal.append_batch;
DROP FUNCTION journal.after_several;
DROP FUNCTION journal.after_everything;
DROP TYPE journal.append_request;
DROP TYPE journal.append_stream;
DROP TYPE journal.append_event;
DROP TYPE journal.append_guard;
DROP TYPE journal.append_reference;
DROP TYPE journal.append_claim;
DROP TYPE journal.append_inner;
DROP TYPE journal.append_hold;

CREATE OR REPLACE FUNCTION journal.clock() RETURNS timestamptz
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS 'SELECT clock_timestamp()';

-- Appends a batch of requests that its caller has made free of conflicts with one another, or
-- nothing if one of them cannot be. Offsets (in the batch, in the lanes) come computed, so that
-- under the lock there are only lookups by key and inserts. Everything after the lock sees what was
-- committed before it, since each statement of a VOLATILE function takes a snapshot of its own.
CREATE FUNCTION journal.append_batch(
    p_now timestamptz, p_max_ahead interval,
    -- Requests: what will be answered. p_request_last counts the batch's events up to the request's last.
    p_request_scope uuid[], p_request_id uuid[], p_request_fingerprint bytea[], p_request_stream uuid[],
    p_request_version bigint[], p_request_created boolean[], p_request_last integer[], p_request_events integer[],
    -- Streams that begin, and streams that go on. Numbers of events count in the batch, from 1.
    p_new_stream uuid[], p_new_kind text[], p_new_lane smallint[], p_new_version bigint[], p_new_first integer[],
    p_new_last integer[], p_new_made integer[], p_new_closed integer[],
    p_old_stream uuid[], p_old_expected bigint[], p_old_version bigint[], p_old_last integer[], p_old_made integer[],
    p_old_closed integer[], p_old_opened boolean[],
    -- Streams only read.
    p_guard_stream uuid[], p_guard_version bigint[],
    -- Streams referred to, and whether they must be open.
    p_reference uuid[], p_reference_open boolean[],
    -- Keys: who may have one now, who has it afterwards, and the event that released it last.
    p_claim_scope text[], p_claim_key text[], p_claim_asker uuid[], p_claim_holder uuid[], p_claim_released integer[],
    -- Events of this batch on which others of it depend.
    p_inner integer[],
    p_close uuid[],
    p_hold_target uuid[], p_hold_holder uuid[], p_hold_expires timestamptz[],
    p_unhold_target uuid[], p_unhold_holder uuid[],
    -- Events. Their dependencies are a slice of p_dependency, which numbers references, then claims, then p_inner.
    p_stream uuid[], p_version bigint[], p_lane smallint[], p_lane_offset integer[], p_type text[], p_schema smallint[],
    p_data jsonb[], p_occurred timestamptz[], p_command uuid[], p_actor uuid[], p_correlation uuid[], p_tenant uuid[],
    p_causation uuid[], p_session uuid[], p_address inet[], p_agent text[], p_trace text[],
    p_dependency_from integer[], p_dependency_to integer[], p_dependency integer[],
    -- Lanes touched, and how many events each gets.
    p_lanes smallint[], p_lane_events integer[]
) RETURNS journal.append_answer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off
SET enable_mergejoin = off SET enable_bitmapscan = off SET jit = off
AS $$
DECLARE
    tick CONSTANT interval := interval '1 microsecond';
    events CONSTANT integer := cardinality(p_stream);
    stack text;
    last record;
    database_now timestamptz;
    counted_from timestamptz;
    heads bigint[];
    failures jsonb;
    found jsonb;
    unmet boolean;
    -- The dependencies' places, numbered as p_dependency does.
    met_lane smallint[] := '{}';
    met_seq bigint[] := '{}';
    found_lane smallint[];
    found_seq bigint[];
BEGIN
    GET DIAGNOSTICS stack = PG_CONTEXT;
    IF stack !~ '\nPL/pgSQL function (journal\.)?append\(' THEN
        RAISE EXCEPTION 'append through CALL journal.append, which ends its transaction before it answers'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'append at READ COMMITTED: another level checks against the past'
            USING ERRCODE = 'active_sql_transaction';
    END IF;
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;

    PERFORM pg_advisory_xact_lock(5846072195403715300);

    SELECT b.batch, b.position, b.recorded_at, b.lane_heads INTO STRICT last
    FROM journal.batches b ORDER BY b.batch DESC LIMIT 1;
    heads := last.lane_heads;
    database_now := journal.clock();
    IF database_now > p_now + p_max_ahead THEN
        RETURN ROW(NULL::bigint, NULL::timestamptz, jsonb_build_array(jsonb_build_object('kind', 'clock', 'at', 0, 'database', database_now)));
    END IF;
    -- A clock that stepped back is not followed back.
    counted_from := greatest(database_now, last.recorded_at + tick) - tick;

    SELECT jsonb_agg(f.failure) INTO failures FROM (
        SELECT jsonb_build_object('kind', 'command', 'at', r.i, 'same', c.fingerprint = r.fingerprint,
            'stream', c.stream_id, 'version', c.version, 'created', c.created, 'position', c.position,
            'events', c.events, 'recorded_at', c.recorded_at) AS failure
        FROM unnest(p_request_scope, p_request_id, p_request_fingerprint) WITH ORDINALITY AS r (scope, id, fingerprint, i)
        JOIN journal.commands c ON c.scope = r.scope AND c.id = r.id
        UNION ALL
        SELECT jsonb_build_object('kind', 'old', 'at', o.i, 'actual', COALESCE(s.version, 0))
        FROM unnest(p_old_stream, p_old_expected) WITH ORDINALITY AS o (stream, expected, i)
        LEFT JOIN journal.streams s ON s.stream_id = o.stream
        WHERE s.version IS DISTINCT FROM o.expected
        UNION ALL
        SELECT jsonb_build_object('kind', 'new', 'at', n.i, 'actual', s.version)
        FROM unnest(p_new_stream) WITH ORDINALITY AS n (stream, i)
        JOIN journal.streams s ON s.stream_id = n.stream
    ) f;

    IF cardinality(p_guard_stream) > 0 THEN
        SELECT jsonb_agg(jsonb_build_object('kind', 'guard', 'at', g.i, 'actual', COALESCE(s.version, 0))) INTO found
        FROM unnest(p_guard_stream, p_guard_version) WITH ORDINALITY AS g (stream, version, i)
        LEFT JOIN journal.streams s ON s.stream_id = g.stream
        WHERE COALESCE(s.version, 0) <> g.version;
        failures := COALESCE(failures || found, failures, found);
    END IF;

    IF cardinality(p_reference) > 0 THEN
        SELECT array_agg(s.lane ORDER BY r.i), array_agg(s.made_lane_seq ORDER BY r.i),
               bool_or(s.stream_id IS NULL OR r.open AND s.closed_at IS NOT NULL)
        INTO met_lane, met_seq, unmet
        FROM unnest(p_reference, p_reference_open) WITH ORDINALITY AS r (stream, open, i)
        LEFT JOIN journal.streams s ON s.stream_id = r.stream;
        IF unmet THEN
            SELECT jsonb_agg(jsonb_build_object('kind', CASE WHEN s.stream_id IS NULL THEN 'missing' ELSE 'closed' END, 'at', r.i))
            INTO found
            FROM unnest(p_reference, p_reference_open) WITH ORDINALITY AS r (stream, open, i)
            LEFT JOIN journal.streams s ON s.stream_id = r.stream
            WHERE s.stream_id IS NULL OR r.open AND s.closed_at IS NOT NULL;
            failures := COALESCE(failures || found, failures, found);
        END IF;
    END IF;

    IF cardinality(p_claim_scope) > 0 THEN
        SELECT array_agg(CASE WHEN k.holder IS NULL THEN k.released_lane END ORDER BY c.i),
               array_agg(CASE WHEN k.holder IS NULL THEN k.released_seq END ORDER BY c.i),
               jsonb_agg(jsonb_build_object('kind', 'claim', 'at', c.i, 'holder', k.holder)) FILTER (WHERE k.holder <> c.asker)
        INTO found_lane, found_seq, found
        FROM unnest(p_claim_scope, p_claim_key, p_claim_asker) WITH ORDINALITY AS c (scope, key, asker, i)
        LEFT JOIN journal.claims k ON k.scope = c.scope AND k.key = c.key;
        failures := COALESCE(failures || found, failures, found);
        met_lane := met_lane || found_lane;
        met_seq := met_seq || found_seq;
    END IF;

    IF cardinality(p_close) > 0 THEN
        SELECT jsonb_agg(jsonb_build_object('kind', 'held', 'at', c.i, 'holders', h.holders)) INTO found
        FROM unnest(p_close) WITH ORDINALITY AS c (stream, i)
        CROSS JOIN LATERAL (
            SELECT jsonb_agg(t.holder) AS holders FROM (
                SELECT d.holder FROM journal.holds d
                WHERE d.target = c.stream AND d.holder <> c.stream
                  AND (d.expires_at IS NULL OR d.expires_at > counted_from)
                  AND NOT EXISTS (SELECT FROM unnest(p_unhold_target, p_unhold_holder) AS u (target, holder)
                                  WHERE u.target = d.target AND u.holder = d.holder)
                LIMIT 10
            ) t
        ) h
        WHERE h.holders IS NOT NULL;
        failures := COALESCE(failures || found, failures, found);
    END IF;

    IF failures IS NOT NULL THEN
        RETURN ROW(NULL::bigint, NULL::timestamptz, failures);
    END IF;

    IF cardinality(p_inner) > 0 THEN
        SELECT met_lane || array_agg(p_lane[d.event] ORDER BY d.i),
               met_seq || array_agg(heads[p_lane[d.event] + 1] + p_lane_offset[d.event] ORDER BY d.i)
        INTO met_lane, met_seq
        FROM unnest(p_inner) WITH ORDINALITY AS d (event, i);
    END IF;
    IF EXISTS (
        SELECT FROM unnest(p_dependency_from, p_dependency_to) WITH ORDINALITY AS e (first, last, event)
        CROSS JOIN LATERAL unnest(p_dependency[e.first:e.last]) AS d (n)
        WHERE e.last >= e.first
          AND CASE WHEN d.n > cardinality(met_seq) - cardinality(p_inner)
                   THEN p_inner[d.n - cardinality(met_seq) + cardinality(p_inner)] >= e.event
                   ELSE met_seq[d.n] > heads[met_lane[d.n] + 1] END
    ) THEN
        RAISE EXCEPTION 'an event depends on one that is not before it' USING ERRCODE = 'data_corrupted';
    END IF;

    INSERT INTO journal.events (position, recorded_at, occurred_at, stream_id, version, lane_seq, lane, schema_version,
        event_type, command_id, actor_id, correlation_id, tenant_id, causation_id, session_id, ip_address, user_agent,
        traceparent, after, data)
    SELECT last.position + e.i, counted_from + e.i * tick, e.occurred, e.stream, e.version, heads[e.lane + 1] + e.lane_offset,
        e.lane, e.schema, e.type, e.command, e.actor, e.correlation, e.tenant, e.causation, e.session, e.address, e.agent,
        e.trace,
        CASE WHEN e.dependency_to < e.dependency_from THEN NULL
             ELSE (SELECT array_agg(x ORDER BY d.n, part) FROM unnest(p_dependency[e.dependency_from:e.dependency_to]) AS d (n)
                   CROSS JOIN LATERAL unnest(ARRAY[met_lane[d.n]::bigint, met_seq[d.n]]) WITH ORDINALITY AS p (x, part)
                   WHERE met_seq[d.n] IS NOT NULL AND met_lane[d.n] <> e.lane)
        END,
        e.data
    FROM unnest(p_stream, p_version, p_lane, p_lane_offset, p_type, p_schema, p_data, p_occurred, p_command, p_actor,
        p_correlation, p_tenant, p_causation, p_session, p_address, p_agent, p_trace, p_dependency_from, p_dependency_to)
        WITH ORDINALITY AS e (stream, version, lane, lane_offset, type, schema, data, occurred, command, actor,
        correlation, tenant, causation, session, address, agent, trace, dependency_from, dependency_to, i);

    IF cardinality(p_old_stream) > 0 THEN
        UPDATE journal.streams s SET version = o.version, last_at = counted_from + o.last * tick,
            made_lane_seq = COALESCE(heads[s.lane + 1] + p_lane_offset[o.made], s.made_lane_seq),
            closed_at = CASE WHEN o.closed IS NOT NULL THEN counted_from + o.closed * tick
                             WHEN o.opened THEN NULL ELSE s.closed_at END
        FROM unnest(p_old_stream, p_old_version, p_old_last, p_old_made, p_old_closed, p_old_opened)
            AS o (stream, version, last, made, closed, opened)
        WHERE s.stream_id = o.stream;
    END IF;
    IF cardinality(p_new_stream) > 0 THEN
        INSERT INTO journal.streams (stream_id, version, made_lane_seq, first_at, last_at, closed_at, lane, kind)
        SELECT n.stream, n.version, heads[n.lane + 1] + p_lane_offset[n.made], counted_from + n.first * tick,
            counted_from + n.last * tick, counted_from + n.closed * tick, n.lane, n.kind
        FROM unnest(p_new_stream, p_new_version, p_new_made, p_new_first, p_new_last, p_new_closed, p_new_lane, p_new_kind)
            AS n (stream, version, made, first, last, closed, lane, kind);
    END IF;
    IF cardinality(p_claim_scope) > 0 THEN
        INSERT INTO journal.claims AS k (scope, key, holder, released_lane, released_seq)
        SELECT c.scope, c.key, c.holder, p_lane[c.released], heads[p_lane[c.released] + 1] + p_lane_offset[c.released]
        FROM unnest(p_claim_scope, p_claim_key, p_claim_holder, p_claim_released) AS c (scope, key, holder, released)
        ON CONFLICT (scope, key) DO UPDATE SET holder = EXCLUDED.holder,
            released_lane = COALESCE(EXCLUDED.released_lane, k.released_lane),
            released_seq = COALESCE(EXCLUDED.released_seq, k.released_seq);
    END IF;
    IF cardinality(p_unhold_target) > 0 THEN
        DELETE FROM journal.holds h USING unnest(p_unhold_target, p_unhold_holder) AS u (target, holder)
        WHERE h.target = u.target AND h.holder = u.holder;
    END IF;
    IF cardinality(p_hold_target) > 0 THEN
        INSERT INTO journal.holds (target, holder, expires_at)
        SELECT h.target, h.holder, h.expires FROM unnest(p_hold_target, p_hold_holder, p_hold_expires) AS h (target, holder, expires)
        ON CONFLICT (target, holder) DO UPDATE SET expires_at = EXCLUDED.expires_at;
    END IF;
    INSERT INTO journal.commands (scope, id, fingerprint, stream_id, version, position, recorded_at, events, created)
    SELECT r.scope, r.id, r.fingerprint, r.stream, r.version, last.position + r.last,
        counted_from + greatest(r.last, 1) * tick, r.events, r.created
    FROM unnest(p_request_scope, p_request_id, p_request_fingerprint, p_request_stream, p_request_version, p_request_last,
        p_request_events, p_request_created) AS r (scope, id, fingerprint, stream, version, last, events, created);

    FOR n IN 1 .. cardinality(p_lanes) LOOP
        heads[p_lanes[n] + 1] := heads[p_lanes[n] + 1] + p_lane_events[n];
    END LOOP;
    INSERT INTO journal.batches (batch, position, events, recorded_at, lane_heads)
    VALUES (last.batch + 1, last.position + events, events, counted_from + greatest(events, 1) * tick, heads);

    RETURN ROW(last.position, counted_from, NULL::jsonb);
END
$$;

-- The only way in: appends, and commits before it answers, so that no client keeps the order locked.
-- Inside a transaction block it cannot commit, and is refused (2D000).
CREATE PROCEDURE journal.append(
    p_now timestamptz, p_max_ahead interval,
    p_request_scope uuid[], p_request_id uuid[], p_request_fingerprint bytea[], p_request_stream uuid[],
    p_request_version bigint[], p_request_created boolean[], p_request_last integer[], p_request_events integer[],
    p_new_stream uuid[], p_new_kind text[], p_new_lane smallint[], p_new_version bigint[], p_new_first integer[],
    p_new_last integer[], p_new_made integer[], p_new_closed integer[],
    p_old_stream uuid[], p_old_expected bigint[], p_old_version bigint[], p_old_last integer[], p_old_made integer[],
    p_old_closed integer[], p_old_opened boolean[],
    p_guard_stream uuid[], p_guard_version bigint[],
    p_reference uuid[], p_reference_open boolean[],
    p_claim_scope text[], p_claim_key text[], p_claim_asker uuid[], p_claim_holder uuid[], p_claim_released integer[],
    p_inner integer[],
    p_close uuid[],
    p_hold_target uuid[], p_hold_holder uuid[], p_hold_expires timestamptz[],
    p_unhold_target uuid[], p_unhold_holder uuid[],
    p_stream uuid[], p_version bigint[], p_lane smallint[], p_lane_offset integer[], p_type text[], p_schema smallint[],
    p_data jsonb[], p_occurred timestamptz[], p_command uuid[], p_actor uuid[], p_correlation uuid[], p_tenant uuid[],
    p_causation uuid[], p_session uuid[], p_address inet[], p_agent text[], p_trace text[],
    p_dependency_from integer[], p_dependency_to integer[], p_dependency integer[],
    p_lanes smallint[], p_lane_events integer[],
    INOUT head bigint, INOUT counted_from timestamptz, INOUT failures jsonb
)
LANGUAGE plpgsql AS $$
DECLARE
    answer journal.append_answer;
BEGIN
    answer := journal.append_batch(
        p_now, p_max_ahead, p_request_scope, p_request_id, p_request_fingerprint, p_request_stream, p_request_version,
        p_request_created, p_request_last, p_request_events, p_new_stream, p_new_kind, p_new_lane, p_new_version,
        p_new_first, p_new_last, p_new_made, p_new_closed, p_old_stream, p_old_expected, p_old_version, p_old_last,
        p_old_made, p_old_closed, p_old_opened, p_guard_stream, p_guard_version, p_reference, p_reference_open,
        p_claim_scope, p_claim_key, p_claim_asker, p_claim_holder, p_claim_released, p_inner, p_close, p_hold_target,
        p_hold_holder, p_hold_expires, p_unhold_target, p_unhold_holder, p_stream, p_version, p_lane, p_lane_offset,
        p_type, p_schema, p_data, p_occurred, p_command, p_actor, p_correlation, p_tenant, p_causation, p_session,
        p_address, p_agent, p_trace, p_dependency_from, p_dependency_to, p_dependency, p_lanes, p_lane_events);
    COMMIT;
    head := answer.head;
    counted_from := answer.counted_from;
    failures := answer.failures;
END
$$;

-- The definer function's owner cannot log in, and has only the rights that it needs.
GRANT CREATE ON SCHEMA journal TO daybook_log_owner;
ALTER FUNCTION journal.append_batch OWNER TO daybook_log_owner;
REVOKE CREATE ON SCHEMA journal FROM daybook_log_owner;
REVOKE ALL ON FUNCTION journal.append_batch FROM PUBLIC;
REVOKE ALL ON PROCEDURE journal.append FROM PUBLIC;
GRANT EXECUTE ON FUNCTION journal.append_batch TO daybook_writer;
GRANT EXECUTE ON PROCEDURE journal.append TO daybook_writer;
