-- What somebody changes by hand in a read table came from nowhere in the log: it is written to
-- journal.drift, which survives every rebuild, and shows in audit_logs as OUT_OF_BAND with a negative
-- id. The projector and the owner, who rebuilds, stand aside: decided by role, never by a setting.
-- What a change by hand does further by a cascade, which runs as the owner, is written down too.
-- Absent on purpose: any way to take such a line away again.

ALTER TABLE journal.drift ADD COLUMN entity_id uuid;
CREATE INDEX idx_drift_at ON journal.drift (at);

-- The audit rows that changes by hand make: the same when they are made as when they are put back.
CREATE VIEW journal.drift_audit_logs AS
SELECT -d.id AS id, NULL::uuid AS user_id, 'OUT_OF_BAND'::varchar(50) AS action, d.table_name::varchar(50) AS entity_type,
       d.entity_id, d.old_values, d.new_values, d.client_addr AS ip_address, d.at AS created_at,
       NULL::bigint AS position, NULL::text AS event_type, NULL::uuid AS stream_id, NULL::bigint AS version,
       NULL::uuid AS correlation_id, NULL::uuid AS session_id, 'PostgreSQL role ' || d.db_user AS user_agent
FROM journal.drift d;
GRANT SELECT ON journal.drift_audit_logs TO daybook_projector, daybook_auditor;

-- A row as it may be shown: without hashes of secrets, and without what is marked as one.
CREATE FUNCTION projector.shown(stored jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_object_agg(c.key, c.value)
    FROM jsonb_each(stored) c
    WHERE c.key NOT LIKE '%\_hash' AND NOT (c.key = 'value' AND COALESCE((stored ->> 'is_secret')::boolean, false))
$$;

-- Writes one change down and answers its number; NULL when nothing changed.
CREATE FUNCTION projector.note_change(named text, entity text, keys text[], before jsonb, after jsonb) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    stored CONSTANT jsonb := COALESCE(after, before);
    old_shown jsonb := projector.shown(before);
    new_shown jsonb := projector.shown(after);
    noted bigint;
BEGIN
    IF before = after THEN
        RETURN NULL;
    END IF;
    -- Of an update, the columns that changed.
    IF before IS NOT NULL AND after IS NOT NULL THEN
        SELECT COALESCE(jsonb_object_agg(o.key, o.value), '{}'), COALESCE(jsonb_object_agg(o.key, new_shown -> o.key), '{}')
        INTO old_shown, new_shown
        FROM jsonb_each(old_shown) o WHERE o.value IS DISTINCT FROM new_shown -> o.key;
    END IF;
    INSERT INTO journal.drift (table_name, row_key, entity_id, old_values, new_values)
    VALUES (named, COALESCE((SELECT jsonb_object_agg(k, stored -> k) FROM unnest(keys) k), '{}'),
            (stored ->> entity)::uuid, old_shown, new_shown)
    RETURNING id INTO noted;
    RETURN noted;
END
$$;

-- Arguments: the table (a trigger of a partition would name the partition), the column with the id
-- that audit_logs.entity_id shows, and the key's columns.
CREATE FUNCTION public.log_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    noted CONSTANT bigint := projector.note_change(TG_ARGV[0], TG_ARGV[1], TG_ARGV[2:],
        CASE WHEN TG_OP IN ('UPDATE', 'DELETE') THEN to_jsonb(OLD) WHEN TG_OP = 'TRUNCATE' THEN '{"truncated": false}' END,
        CASE WHEN TG_OP IN ('INSERT', 'UPDATE') THEN to_jsonb(NEW) WHEN TG_OP = 'TRUNCATE' THEN '{"truncated": true}' END);
BEGIN
    IF noted IS NOT NULL THEN
        PERFORM projector.make_partitions('audit_logs', now(), now());
        INSERT INTO public.audit_logs (id, user_id, action, entity_type, entity_id, old_values, new_values, ip_address,
            created_at, position, event_type, stream_id, version, correlation_id, session_id, user_agent)
        SELECT d.* FROM journal.drift_audit_logs d WHERE d.id = -noted;
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION projector.shown, projector.note_change, public.log_changes FROM PUBLIC;

-- Has changes by hand to a table written down. `entity` is the column with the id that audit_logs
-- shows, `keys` are those of its key, `writes` the function that writes.
CREATE PROCEDURE projector.watch(named text, entity text, keys text[], writes text DEFAULT 'log_changes')
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    arguments CONSTANT text := (SELECT string_agg(quote_literal(a), ', ') FROM unnest(ARRAY[named, entity] || keys) a);
    -- A cascade runs as the owner, beneath a trigger; what this trigger itself writes does so as well.
    condition CONSTANT text := 'current_user NOT IN (''daybook_projector'', ''daybook_migrator'')'
        || CASE WHEN named = 'audit_logs' THEN '' ELSE ' OR pg_trigger_depth() > 0' END;
BEGIN
    EXECUTE format('CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON public.%I FOR EACH ROW WHEN (%s) EXECUTE FUNCTION public.%I(%s)',
        'log_' || named || '_changes', named, condition, writes, arguments);
    EXECUTE format('CREATE TRIGGER %I AFTER TRUNCATE ON public.%I FOR EACH STATEMENT WHEN (%s) EXECUTE FUNCTION public.%I(%s)',
        'log_' || named || '_truncated', named, condition, writes, arguments);
END
$$;
CREATE PROCEDURE projector.unwatch(named text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('DROP TRIGGER %I ON public.%I', 'log_' || named || '_changes', named);
    EXECUTE format('DROP TRIGGER %I ON public.%I', 'log_' || named || '_truncated', named);
END
$$;
REVOKE ALL ON PROCEDURE projector.watch, projector.unwatch FROM PUBLIC;

CALL projector.watch('users', 'id', '{id}');
CALL projector.watch('user_identifiers', 'user_id', '{kind,key}');
CALL projector.watch('api_keys', 'id', '{id}');
CALL projector.watch('organizations', 'id', '{id}');
CALL projector.watch('org_members', 'org_id', '{org_id,user_id}');
CALL projector.watch('accounts', 'id', '{id}');
CALL projector.watch('transactions', 'id', '{id,transaction_date}');
CALL projector.watch('audit_logs', 'entity_id', '{id,created_at}');
