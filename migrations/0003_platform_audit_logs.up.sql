-- One row for each row changed by each event: action INSERT, UPDATE or DELETE (OUT_OF_BAND for a
-- change that came from nowhere in the log). old_values and new_values hold the columns that changed
-- (all of them for INSERT and DELETE), never a secret. id is position * 2^20 + the row's number
-- within its event; changes from nowhere have negative ids.
CREATE TABLE public.audit_logs (
    id bigint NOT NULL,
    user_id uuid,
    action varchar(50) NOT NULL,
    entity_type varchar(50),
    entity_id uuid,
    old_values jsonb,
    new_values jsonb,
    ip_address inet,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz GENERATED ALWAYS AS (created_at) STORED,
    position bigint,
    event_type text,
    stream_id uuid,
    version bigint,
    correlation_id uuid,
    session_id uuid,
    user_agent text,
    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);

CREATE INDEX idx_audit_logs_user_id ON public.audit_logs (user_id);
CREATE INDEX idx_audit_logs_entity ON public.audit_logs (entity_type, entity_id);
CREATE INDEX idx_audit_logs_created_at ON public.audit_logs (created_at DESC);

GRANT SELECT, INSERT, UPDATE, DELETE ON public.audit_logs TO daybook_projector;
GRANT SELECT ON public.audit_logs TO application_role, daybook_analyst, daybook_auditor;

INSERT INTO projector.monthly_tables VALUES ('audit_logs', 'created_at', '"_"YYYY"_"MM');
SELECT projector.make_partitions('audit_logs', now() - interval '1 month', now() + interval '3 months');
