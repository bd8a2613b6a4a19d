-- Nearly every request refers to one stream, its actor's, which need not be open: the short way takes
-- that along.
DO $do$
DECLARE
    definition text := pg_get_functiondef((SELECT p.oid FROM pg_proc p
        WHERE p.proname = 'append_batch' AND p.pronamespace = 'journal'::regnamespace));
    changes CONSTANT text[] := ARRAY[
        'IF events = 1 AND NOT rare AND cardinality(p_requests) = 1',
        'IF events = 1 AND (NOT rare OR cardinality(p_references) = 1 AND NOT (p_references[1]).open
           AND cardinality(p_guards) + cardinality(p_claims) + cardinality(p_close) + cardinality(p_inner) + cardinality(p_holds) = 0)
       AND cardinality(p_requests) = 1',
        '(SELECT s.version FROM journal.streams s WHERE s.stream_id = a_stream.stream) AS version
',
        '(SELECT s.version FROM journal.streams s WHERE s.stream_id = a_stream.stream) AS version,
            t.lane AS met_lane, t.made_lane_seq AS met_seq
',
        'FROM journal.batches b ORDER BY b.batch DESC LIMIT 1;
        IF NOT last.applied AND COALESCE(last.version, 0) = a_stream.expected AND last.now <= p_now + p_max_ahead THEN',
        'FROM journal.batches b LEFT JOIN journal.streams t ON t.stream_id = (p_references[1]).stream
        ORDER BY b.batch DESC LIMIT 1;
        IF NOT last.applied AND COALESCE(last.version, 0) = a_stream.expected AND last.now <= p_now + p_max_ahead
           AND (NOT rare OR last.met_seq <= last.lane_heads[last.met_lane + 1]) THEN',
        'journal.after_everything(an_event.lane, 1, heads, p_events) END, an_event.data)',
        'journal.after_everything(an_event.lane, 1, heads, p_events)
                         WHEN cardinality(an_event.dependencies) > 0 AND last.met_lane <> an_event.lane
                             THEN ARRAY[last.met_lane::bigint, last.met_seq]
                    END, an_event.data)'];
BEGIN
    FOR n IN 1 .. cardinality(changes) / 2 LOOP
        IF strpos(definition, changes[2 * n - 1]) = 0 THEN
            RAISE EXCEPTION 'journal.append_batch is not what this migration changes: %', changes[2 * n - 1];
        END IF;
        definition := replace(definition, changes[2 * n - 1], changes[2 * n]);
    END LOOP;
    EXECUTE definition;
END
$do$;
