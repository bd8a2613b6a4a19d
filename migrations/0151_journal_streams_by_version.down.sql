ALTER TABLE journal.streams DROP CONSTRAINT streams_pkey;
ALTER TABLE journal.streams ADD PRIMARY KEY (stream_id);

CREATE OR REPLACE FUNCTION journal.append_batch(p_now timestamp with time zone, p_max_ahead interval, p_requests journal.append_request[], p_streams journal.append_stream[], p_events journal.append_event[], p_guards journal.append_guard[], p_references journal.append_reference[], p_claims journal.append_claim[], p_inner journal.append_inner[], p_close uuid[], p_holds journal.append_hold[], p_lanes smallint[], p_lane_events integer[])
 RETURNS journal.append_answer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
DECLARE
    tick CONSTANT interval := interval '1 microsecond';
    events CONSTANT integer := cardinality(p_events);
    -- Whether the batch has any of what most have not.
    rare CONSTANT boolean := cardinality(p_guards) + cardinality(p_references) + cardinality(p_claims) + cardinality(p_close)
        + cardinality(p_inner) + cardinality(p_holds) > 0;
    a_request journal.append_request;
    a_stream journal.append_stream;
    an_event journal.append_event;
    locked text;
    last record;
    counted_from timestamptz;
    heads bigint[];
    new_heads bigint[];
    failures jsonb;
    found jsonb;
    unmet boolean;
    -- The dependencies' places, numbered as an event's dependencies are.
    met_lane smallint[] := '{}';
    met_seq bigint[] := '{}';
    found_lane smallint[];
    found_seq bigint[];
BEGIN
    -- What the client asked for, word for word. Beside another statement in one string, or inside a
    -- transaction, the procedure cannot commit and everything is refused. One condition for all three,
    -- since each costs as much.
    IF NOT starts_with(current_query(), 'CALL journal.append(') OR current_setting('transaction_isolation') <> 'read committed'
       OR current_setting('synchronous_commit') = 'off' THEN
        IF NOT starts_with(current_query(), 'CALL journal.append(') THEN
            RAISE EXCEPTION 'append through CALL journal.append, which ends its transaction before it answers'
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            RAISE EXCEPTION 'append at READ COMMITTED: another level checks against the past'
                USING ERRCODE = 'active_sql_transaction';
        END IF;
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;

    -- An assignment, since a statement of its own would cost more; what follows takes snapshots of its own.
    locked := pg_advisory_xact_lock(5846072195403715300)::text;

    -- One event of one request, which rests on nothing but its stream: the same as below, without the sets.
    -- Whatever is not as it should be is left to what is below, which says what it is.
    IF events = 1 AND (NOT rare OR cardinality(p_references) = 1 AND NOT (p_references[1]).open
           AND cardinality(p_guards) + cardinality(p_claims) + cardinality(p_close) + cardinality(p_inner) + cardinality(p_holds) = 0)
       AND cardinality(p_requests) = 1 AND cardinality(p_streams) = 1 THEN
        a_request := p_requests[1];
        a_stream := p_streams[1];
        an_event := p_events[1];
        SELECT b.batch, b.position, b.recorded_at, b.lane_heads, journal.clock() AS now,
            EXISTS (SELECT FROM journal.commands c WHERE c.scope = a_request.scope AND c.id = a_request.id) AS applied,
            (SELECT s.version FROM journal.streams s WHERE s.stream_id = a_stream.stream) AS version,
            t.lane AS met_lane, t.made_lane_seq AS met_seq
        INTO STRICT last
        FROM journal.batches b LEFT JOIN journal.streams t ON t.stream_id = (p_references[1]).stream
        ORDER BY b.batch DESC LIMIT 1;
        IF NOT last.applied AND COALESCE(last.version, 0) = a_stream.expected AND last.now <= p_now + p_max_ahead
           AND (NOT rare OR last.met_seq <= last.lane_heads[last.met_lane + 1]) THEN
            heads := last.lane_heads;
            new_heads := heads;
            new_heads[an_event.lane + 1] := heads[an_event.lane + 1] + p_lane_events[1];
            counted_from := greatest(last.now, last.recorded_at + tick) - tick;
            WITH written AS (
                INSERT INTO journal.events (position, recorded_at, occurred_at, stream_id, version, lane_seq, lane, schema_version,
                    event_type, command_id, actor_id, correlation_id, tenant_id, causation_id, session_id, ip_address, user_agent,
                    traceparent, after, data)
                VALUES (last.position + 1, counted_from + tick, an_event.occurred, an_event.stream, an_event.version,
                    heads[an_event.lane + 1] + an_event.lane_offset, an_event.lane, an_event.schema, an_event.type,
                    an_event.command, an_event.actor, an_event.correlation, an_event.tenant, an_event.causation,
                    an_event.session, an_event.address, an_event.agent, an_event.trace,
                    CASE WHEN an_event.removes THEN journal.after_everything(an_event.lane, 1, heads, p_events)
                         WHEN cardinality(an_event.dependencies) > 0 AND last.met_lane <> an_event.lane
                             THEN ARRAY[last.met_lane::bigint, last.met_seq]
                    END, an_event.data)
            ), answered AS (
                INSERT INTO journal.commands (scope, id, fingerprint, stream_id, version, position, recorded_at, events, created)
                VALUES (a_request.scope, a_request.id, a_request.fingerprint, a_request.stream, a_request.version,
                    last.position + 1, counted_from + tick, 1, a_request.created)
            )
            INSERT INTO journal.batches (batch, position, events, recorded_at, lane_heads)
            VALUES (last.batch + 1, last.position + 1, 1, counted_from + tick, new_heads);
            IF a_stream.expected = 0 THEN
                INSERT INTO journal.streams (stream_id, version, made_lane_seq, first_at, last_at, closed_at, lane, kind)
                VALUES (a_stream.stream, a_stream.version, heads[a_stream.lane + 1] + a_stream.made,
                    counted_from + a_stream.first * tick, counted_from + a_stream.last * tick,
                    counted_from + a_stream.closed * tick, a_stream.lane, a_stream.kind);
            ELSE
                UPDATE journal.streams s SET version = a_stream.version, last_at = counted_from + a_stream.last * tick,
                    made_lane_seq = COALESCE(heads[a_stream.lane + 1] + a_stream.made, s.made_lane_seq),
                    closed_at = CASE WHEN a_stream.closed IS NOT NULL THEN counted_from + a_stream.closed * tick
                                     WHEN a_stream.opened THEN NULL ELSE s.closed_at END
                WHERE s.stream_id = a_stream.stream;
            END IF;
            RETURN ROW(last.position, counted_from, NULL::jsonb);
        END IF;
    END IF;

    SELECT b.batch, b.position, b.recorded_at, b.lane_heads, journal.clock() AS now,
        (SELECT jsonb_agg(jsonb_build_object('kind', 'command', 'at', r.i, 'same', c.fingerprint = r.fingerprint,
            'stream', c.stream_id, 'version', c.version, 'created', c.created, 'position', c.position,
            'events', c.events, 'recorded_at', c.recorded_at))
         FROM unnest(p_requests) WITH ORDINALITY AS r (scope, id, fingerprint, stream, version, created, last, events, i)
         JOIN journal.commands c ON c.scope = r.scope AND c.id = r.id) AS applied,
        (SELECT jsonb_agg(jsonb_build_object('kind', 'stream', 'at', w.i, 'actual', COALESCE(s.version, 0)))
         FROM unnest(p_streams) WITH ORDINALITY AS w (stream, kind, lane, expected, version, first, last, made, closed, opened, i)
         LEFT JOIN journal.streams s ON s.stream_id = w.stream
         WHERE COALESCE(s.version, 0) <> w.expected) AS elsewhere,
        EXISTS (SELECT FROM unnest(p_streams) AS w WHERE w.expected > 0) AS goes_on
    INTO STRICT last
    FROM journal.batches b ORDER BY b.batch DESC LIMIT 1;
    heads := last.lane_heads;
    IF last.now > p_now + p_max_ahead THEN
        RETURN ROW(NULL::bigint, NULL::timestamptz, jsonb_build_array(jsonb_build_object('kind', 'clock', 'at', 0, 'database', last.now)));
    END IF;
    -- A clock that stepped back is not followed back.
    counted_from := greatest(last.now, last.recorded_at + tick) - tick;
    failures := COALESCE(last.applied || last.elsewhere, last.applied, last.elsewhere);

    IF rare THEN
        IF cardinality(p_guards) > 0 THEN
            SELECT jsonb_agg(jsonb_build_object('kind', 'guard', 'at', g.i, 'actual', COALESCE(s.version, 0))) INTO found
            FROM unnest(p_guards) WITH ORDINALITY AS g (stream, version, i)
            LEFT JOIN journal.streams s ON s.stream_id = g.stream
            WHERE COALESCE(s.version, 0) <> g.version;
            failures := COALESCE(failures || found, failures, found);
        END IF;

        IF cardinality(p_references) > 0 THEN
            SELECT array_agg(s.lane ORDER BY r.i), array_agg(s.made_lane_seq ORDER BY r.i),
                   bool_or(s.stream_id IS NULL OR r.open AND s.closed_at IS NOT NULL)
            INTO met_lane, met_seq, unmet
            FROM unnest(p_references) WITH ORDINALITY AS r (stream, open, i)
            LEFT JOIN journal.streams s ON s.stream_id = r.stream;
            IF unmet THEN
                SELECT jsonb_agg(jsonb_build_object('kind', CASE WHEN s.stream_id IS NULL THEN 'missing' ELSE 'closed' END, 'at', r.i))
                INTO found
                FROM unnest(p_references) WITH ORDINALITY AS r (stream, open, i)
                LEFT JOIN journal.streams s ON s.stream_id = r.stream
                WHERE s.stream_id IS NULL OR r.open AND s.closed_at IS NOT NULL;
                failures := COALESCE(failures || found, failures, found);
            END IF;
        END IF;

        IF cardinality(p_claims) > 0 THEN
            SELECT array_agg(CASE WHEN k.holder IS NULL THEN k.released_lane END ORDER BY c.i),
                   array_agg(CASE WHEN k.holder IS NULL THEN k.released_seq END ORDER BY c.i),
                   jsonb_agg(jsonb_build_object('kind', 'claim', 'at', c.i, 'holder', k.holder)) FILTER (WHERE k.holder <> c.asker)
            INTO found_lane, found_seq, found
            FROM unnest(p_claims) WITH ORDINALITY AS c (scope, key, asker, holder, released_lane, released_offset, i)
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
                      AND (d.target, d.holder) NOT IN (SELECT u.target, u.holder FROM unnest(p_holds) AS u WHERE NOT u.taken)
                    LIMIT 10
                ) t
            ) h
            WHERE h.holders IS NOT NULL;
            failures := COALESCE(failures || found, failures, found);
        END IF;

    END IF;

    IF failures IS NOT NULL THEN
        RETURN ROW(NULL::bigint, NULL::timestamptz, failures);
    END IF;

    -- Every dependency has a lower position than what depends on it.
    IF rare THEN
        FOR n IN 1 .. cardinality(met_seq) LOOP
            unmet := met_seq[n] > heads[met_lane[n] + 1];
            EXIT WHEN unmet;
        END LOOP;
        IF cardinality(p_inner) > 0 THEN
            unmet := unmet OR EXISTS (
                SELECT FROM unnest(p_events) WITH ORDINALITY AS e (stream, version, lane, lane_offset, type, schema, data,
                    occurred, command, actor, correlation, tenant, causation, session, address, agent, trace, dependencies,
                    removes, i)
                CROSS JOIN LATERAL unnest(e.dependencies) AS d (n)
                WHERE d.n > cardinality(met_seq) AND (p_inner[d.n - cardinality(met_seq)]).event >= e.i);
            SELECT met_lane || array_agg(d.lane ORDER BY d.i), met_seq || array_agg(heads[d.lane + 1] + d.lane_offset ORDER BY d.i)
            INTO met_lane, met_seq
            FROM unnest(p_inner) WITH ORDINALITY AS d (event, lane, lane_offset, i);
        END IF;
        IF unmet THEN
            RAISE EXCEPTION 'an event depends on one that is not before it' USING ERRCODE = 'data_corrupted';
        END IF;

    END IF;

    new_heads := heads;
    FOR n IN 1 .. cardinality(p_lanes) LOOP
        new_heads[p_lanes[n] + 1] := heads[p_lanes[n] + 1] + p_lane_events[n];
    END LOOP;

    WITH written AS (
        INSERT INTO journal.events (position, recorded_at, occurred_at, stream_id, version, lane_seq, lane, schema_version,
            event_type, command_id, actor_id, correlation_id, tenant_id, causation_id, session_id, ip_address, user_agent,
            traceparent, after, data)
        SELECT last.position + e.i, counted_from + e.i * tick, e.occurred, e.stream, e.version, heads[e.lane + 1] + e.lane_offset,
            e.lane, e.schema, e.type, e.command, e.actor, e.correlation, e.tenant, e.causation, e.session, e.address, e.agent,
            e.trace,
            CASE WHEN e.removes THEN journal.after_everything(e.lane, e.i, heads, p_events)
                 WHEN cardinality(e.dependencies) > 1 THEN journal.after_several(e.lane, e.dependencies, met_lane, met_seq)
                 WHEN met_lane[e.dependencies[1]] <> e.lane
                     THEN ARRAY[met_lane[e.dependencies[1]]::bigint, met_seq[e.dependencies[1]]]
            END,
            e.data
        FROM unnest(p_events) WITH ORDINALITY AS e (stream, version, lane, lane_offset, type, schema, data, occurred, command,
            actor, correlation, tenant, causation, session, address, agent, trace, dependencies, removes, i)
    ), answered AS (
        INSERT INTO journal.commands (scope, id, fingerprint, stream_id, version, position, recorded_at, events, created)
        SELECT r.scope, r.id, r.fingerprint, r.stream, r.version, last.position + r.last,
            counted_from + greatest(r.last, 1) * tick, r.events, r.created
        FROM unnest(p_requests) AS r
    ), begun AS (
        INSERT INTO journal.streams (stream_id, version, made_lane_seq, first_at, last_at, closed_at, lane, kind)
        SELECT w.stream, w.version, heads[w.lane + 1] + w.made, counted_from + w.first * tick, counted_from + w.last * tick,
            counted_from + w.closed * tick, w.lane, w.kind
        FROM unnest(p_streams) AS w WHERE w.expected = 0
    )
    INSERT INTO journal.batches (batch, position, events, recorded_at, lane_heads)
    VALUES (last.batch + 1, last.position + events, events, counted_from + greatest(events, 1) * tick, new_heads);

    IF last.goes_on THEN
        UPDATE journal.streams s SET version = w.version, last_at = counted_from + w.last * tick,
            made_lane_seq = COALESCE(heads[w.lane + 1] + w.made, s.made_lane_seq),
            closed_at = CASE WHEN w.closed IS NOT NULL THEN counted_from + w.closed * tick
                             WHEN w.opened THEN NULL ELSE s.closed_at END
        FROM unnest(p_streams) AS w
        WHERE s.stream_id = w.stream AND w.expected > 0;
    END IF;

    IF rare THEN
        IF cardinality(p_claims) > 0 THEN
            INSERT INTO journal.claims AS k (scope, key, holder, released_lane, released_seq)
            SELECT c.scope, c.key, c.holder, c.released_lane, heads[c.released_lane + 1] + c.released_offset
            FROM unnest(p_claims) AS c
            ON CONFLICT (scope, key) DO UPDATE SET holder = EXCLUDED.holder,
                released_lane = COALESCE(EXCLUDED.released_lane, k.released_lane),
                released_seq = COALESCE(EXCLUDED.released_seq, k.released_seq);
        END IF;
        IF cardinality(p_holds) > 0 THEN
            DELETE FROM journal.holds h USING unnest(p_holds) AS u
            WHERE NOT u.taken AND h.target = u.target AND h.holder = u.holder;
            INSERT INTO journal.holds (target, holder, expires_at)
            SELECT h.target, h.holder, h.expires FROM unnest(p_holds) AS h WHERE h.taken
            ON CONFLICT (target, holder) DO UPDATE SET expires_at = EXCLUDED.expires_at;
        END IF;
    END IF;

    RETURN ROW(last.position, counted_from, NULL::jsonb);
END
$function$;
