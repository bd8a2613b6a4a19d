-- What people did that made no event: commands that were refused, attempts to sign in, and the reads
-- of those who may read everyone's past. What holds: rows are only ever added; nobody may change or
-- take away one, the owner included; a rebuild does not touch them; no secret and no command's content
-- is in them. Refusals are forgotten after 13 months, as command ids are; the others are kept.

CREATE TABLE journal.refusals (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    actor_id uuid NOT NULL,
    tenant_id uuid,
    session_id uuid,
    kind text NOT NULL,
    command text NOT NULL,
    command_id uuid,
    stream_id uuid,
    code text NOT NULL,
    status smallint NOT NULL,
    ip_address inet,
    user_agent text,
    correlation_id uuid NOT NULL
);
CREATE INDEX idx_refusals_actor ON journal.refusals (actor_id, id);
CREATE INDEX idx_refusals_at ON journal.refusals (at);

-- user_id is NULL where nobody has the login that was given; the login itself is not kept: it may be
-- a password that went into the wrong field.
CREATE TABLE journal.sign_ins (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    user_id uuid,
    code text NOT NULL,
    session_id uuid,
    ip_address inet,
    user_agent text,
    correlation_id uuid NOT NULL
);
CREATE INDEX idx_sign_ins_user ON journal.sign_ins (user_id, id);
CREATE INDEX idx_sign_ins_at ON journal.sign_ins (at);

-- A read that goes on for a while has two rows with one read_id: `begun` is there before its first row
-- leaves, `ended` says how many did. One without an `ended` was broken off. One that is over at once has
-- one row, `whole`.
CREATE TABLE journal.reads (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    read_id uuid NOT NULL DEFAULT gen_random_uuid(),
    phase text NOT NULL CHECK (phase IN ('begun', 'ended', 'whole')),
    actor_id uuid NOT NULL,
    tenant_id uuid,
    session_id uuid,
    what text NOT NULL,
    asked jsonb NOT NULL,
    rows bigint,
    digest text,
    ip_address inet,
    user_agent text,
    correlation_id uuid,
    db_user text NOT NULL DEFAULT session_user
);
CREATE INDEX idx_reads_actor ON journal.reads (actor_id, id);
CREATE INDEX idx_reads_at ON journal.reads (at);

-- Rows of the others that were not written, because more came than could be.
CREATE TABLE journal.losses (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    lost bigint NOT NULL CHECK (lost > 0),
    db_user text NOT NULL DEFAULT session_user
);

CREATE TRIGGER never_changed BEFORE UPDATE OR TRUNCATE ON journal.refusals
    FOR EACH STATEMENT EXECUTE FUNCTION journal.refuse_change();
ALTER TABLE journal.refusals ENABLE ALWAYS TRIGGER never_changed;
CREATE TRIGGER only_forgotten BEFORE DELETE ON journal.refusals
    FOR EACH STATEMENT WHEN (current_user <> 'daybook_log_owner') EXECUTE FUNCTION journal.refuse_change();
ALTER TABLE journal.refusals ENABLE ALWAYS TRIGGER only_forgotten;
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON journal.sign_ins
    FOR EACH STATEMENT EXECUTE FUNCTION journal.refuse_change();
ALTER TABLE journal.sign_ins ENABLE ALWAYS TRIGGER never_changed;
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON journal.reads
    FOR EACH STATEMENT EXECUTE FUNCTION journal.refuse_change();
ALTER TABLE journal.reads ENABLE ALWAYS TRIGGER never_changed;
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON journal.losses
    FOR EACH STATEMENT EXECUTE FUNCTION journal.refuse_change();
ALTER TABLE journal.losses ENABLE ALWAYS TRIGGER never_changed;

-- Takes away at most so many refusals that are past their 13 months. Returns how many.
CREATE FUNCTION journal.forget_refusals(p_at_most integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    gone bigint;
BEGIN
    DELETE FROM journal.refusals r WHERE r.id IN (
        SELECT o.id FROM journal.refusals o
        WHERE o.at < journal.clock() - interval '13 months' ORDER BY o.at LIMIT p_at_most);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;
GRANT SELECT, DELETE ON journal.refusals TO daybook_log_owner;
GRANT CREATE ON SCHEMA journal TO daybook_log_owner;
ALTER FUNCTION journal.forget_refusals OWNER TO daybook_log_owner;
REVOKE CREATE ON SCHEMA journal FROM daybook_log_owner;
REVOKE ALL ON FUNCTION journal.forget_refusals FROM PUBLIC;
GRANT EXECUTE ON FUNCTION journal.forget_refusals TO daybook_maintenance;

GRANT INSERT ON journal.refusals, journal.sign_ins, journal.losses TO daybook_writer;
GRANT INSERT ON journal.reads, journal.losses TO daybook_projector;
-- To tie a read's end to its beginning, and no more.
GRANT SELECT (read_id) ON journal.reads TO daybook_projector;
GRANT SELECT ON journal.refusals, journal.sign_ins, journal.reads, journal.losses TO daybook_auditor;
