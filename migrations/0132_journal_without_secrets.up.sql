-- Auditors read the log, and no secret in it: an event's data, a claim's key and a snapshot's state
-- may have the hash of a password, key or token in them, or a secret setting's value. What is not
-- secret of events and claims is in two views; a snapshot is a shortcut, never the truth, and has none.
-- Absent on purpose: any of this for the roles of the service, which fold what they read.

-- Data without secrets and their hashes, by the names of fields, as everything that leaves the service
-- has it (store/src/redact.rs): a hash ends in `_hash`, a secret itself stands in `secret_value`.
CREATE FUNCTION journal.redacted(data jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF strpos(data::text, '_hash') = 0 AND strpos(data::text, 'secret_value') = 0 THEN
        RETURN data;
    END IF;
    CASE jsonb_typeof(data)
        WHEN 'object' THEN
            RETURN (
                SELECT jsonb_object_agg(f.key,
                    CASE WHEN (right(f.key, 5) = '_hash' OR f.key = 'secret_value') AND jsonb_typeof(f.value) <> 'null'
                         THEN '"[redacted]"' ELSE journal.redacted(f.value) END)
                FROM jsonb_each(data) f);
        WHEN 'array' THEN
            RETURN (
                SELECT jsonb_agg(journal.redacted(i.value) ORDER BY i.turn)
                FROM jsonb_array_elements(data) WITH ORDINALITY AS i (value, turn));
        ELSE
            RETURN data;
    END CASE;
END
$$;
REVOKE ALL ON FUNCTION journal.redacted FROM PUBLIC;
GRANT EXECUTE ON FUNCTION journal.redacted TO daybook_auditor;

CREATE VIEW journal.events_without_secrets AS
SELECT e.position, e.recorded_at, e.occurred_at, e.stream_id, e.version, e.lane_seq, e.lane, e.schema_version, e.event_type,
       e.command_id, e.actor_id, e.correlation_id, e.tenant_id, e.causation_id, e.session_id, e.ip_address, e.user_agent,
       e.traceparent, e.after, journal.redacted(e.data) AS data
FROM journal.events e;

CREATE VIEW journal.claims_without_secrets AS
SELECT c.scope, CASE WHEN right(c.scope, 5) = '_hash' THEN '[redacted]' ELSE c.key END AS key, c.holder, c.released_lane,
       c.released_seq
FROM journal.claims c;

REVOKE SELECT ON journal.events, journal.claims, journal.snapshots FROM daybook_auditor;
GRANT SELECT (position, recorded_at, occurred_at, stream_id, version, lane_seq, lane, schema_version, event_type, command_id,
        actor_id, correlation_id, tenant_id, causation_id, session_id, ip_address, user_agent, traceparent, after)
    ON journal.events TO daybook_auditor;
GRANT SELECT (scope, holder, released_lane, released_seq) ON journal.claims TO daybook_auditor;
GRANT SELECT (stream_id, version, shape, taken_at) ON journal.snapshots TO daybook_auditor;
GRANT SELECT ON journal.events_without_secrets, journal.claims_without_secrets TO daybook_auditor;
