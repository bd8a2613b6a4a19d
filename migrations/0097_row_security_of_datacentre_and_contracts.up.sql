-- Policies and watchers for servers, which are their customers', and for the registry of contracts,
-- which is the house's.
CALL projector.put_under_policies('dc_servers', 'customer_id = (SELECT projector.current_user_id())');
CALL projector.put_under_policies('dc_usage_metrics',
    'server_id = ANY (ARRAY(SELECT s.id FROM public.dc_servers s WHERE s.customer_id = (SELECT projector.current_user_id())))');
CALL projector.put_under_policies('ssot_api_contracts', 'false');
CALL projector.put_under_policies('ssot_api_aliases', 'false');
CALL projector.put_under_policies('ssot_governance_rules', 'false');
CALL projector.put_under_policies('ssot_audit_logs', 'false');

-- What changes by hand make in the registry's own trail: the same when they are made as when they
-- are put back.
CREATE VIEW journal.drift_ssot_audit_logs AS
SELECT -d.id AS id, 'OUT_OF_BAND'::varchar(50) AS action, d.table_name::varchar(50) AS entity_type, d.entity_id,
       d.old_values, d.new_values, NULL::jsonb AS governance, d.db_user::varchar(255) AS changed_by, d.at AS created_at,
       NULL::bigint AS position, NULL::text AS event_type, NULL::uuid AS stream_id, NULL::bigint AS version,
       NULL::uuid AS correlation_id
FROM journal.drift d
WHERE d.table_name IN ('ssot_api_contracts', 'ssot_api_aliases', 'ssot_governance_rules');
GRANT SELECT ON journal.drift_ssot_audit_logs TO daybook_projector, daybook_auditor;

-- As log_changes(), whose arguments it takes, and into the registry's trail as well.
CREATE FUNCTION public.log_ssot_changes() RETURNS trigger
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
        INSERT INTO public.ssot_audit_logs (id, action, entity_type, entity_id, old_values, new_values, governance,
            changed_by, created_at, position, event_type, stream_id, version, correlation_id)
        SELECT d.* FROM journal.drift_ssot_audit_logs d WHERE d.id = -noted;
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION public.log_ssot_changes FROM PUBLIC;

CALL projector.watch('dc_servers', 'id', '{id}');
CALL projector.watch('dc_usage_metrics', 'id', '{id,recorded_at}');
CALL projector.watch('ssot_api_contracts', 'id', '{id}', 'log_ssot_changes');
CALL projector.watch('ssot_api_aliases', 'id', '{id}', 'log_ssot_changes');
CALL projector.watch('ssot_governance_rules', 'id', '{id}', 'log_ssot_changes');
-- The trail is written by the function above, beneath a trigger: as with audit_logs, only who changes
-- it otherwise is written down.
CREATE TRIGGER log_ssot_audit_logs_changes AFTER INSERT OR UPDATE OR DELETE ON public.ssot_audit_logs FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.log_changes('ssot_audit_logs', 'entity_id', 'id');
CREATE TRIGGER log_ssot_audit_logs_truncated AFTER TRUNCATE ON public.ssot_audit_logs FOR EACH STATEMENT
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.log_changes('ssot_audit_logs', 'entity_id', 'id');
