-- One row for each change of a contract, an alias or a governance rule by each event, posted like
-- audit_logs: id is position * 2^20; changes from nowhere in the log have negative ids. governance is
-- what the rules said where the event has been held to them.
CREATE TABLE public.ssot_audit_logs (
    id bigint PRIMARY KEY,
    action varchar(50) NOT NULL,
    entity_type varchar(50) NOT NULL,
    entity_id uuid,
    old_values jsonb,
    new_values jsonb,
    governance jsonb,
    changed_by varchar(255) NOT NULL,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz GENERATED ALWAYS AS (created_at) STORED,
    position bigint,
    event_type text,
    stream_id uuid,
    version bigint,
    correlation_id uuid
);
CREATE INDEX idx_ssot_audit_logs_entity ON public.ssot_audit_logs (entity_type, entity_id);
CREATE INDEX idx_ssot_audit_logs_entity_id ON public.ssot_audit_logs (entity_id);
CREATE INDEX idx_ssot_audit_logs_changed_by ON public.ssot_audit_logs (changed_by);
CREATE INDEX idx_ssot_audit_logs_created_at ON public.ssot_audit_logs (created_at DESC);

GRANT SELECT, INSERT, UPDATE, DELETE ON public.ssot_audit_logs TO daybook_projector;
GRANT SELECT ON public.ssot_audit_logs TO application_role, daybook_analyst, daybook_auditor;
