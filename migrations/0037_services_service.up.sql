-- What is on offer. The name is unique as it is written: case counts. The constraint waits for the
-- end of the transaction, since a batch of events may pass a name from one service to another.
CREATE TABLE public.services (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name varchar(100) NOT NULL,
    type varchar(50) NOT NULL,
    description text,
    status varchar(20) NOT NULL DEFAULT 'active',
    status_reason text,
    configuration jsonb,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by uuid REFERENCES public.users (id),
    updated_by uuid REFERENCES public.users (id),
    CONSTRAINT services_name_key UNIQUE (name) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT chk_services_status CHECK (status IN ('active', 'inactive')),
    CONSTRAINT chk_services_configuration CHECK (jsonb_typeof(configuration) = 'object')
);
CREATE INDEX idx_services_type ON public.services (type);
CREATE INDEX idx_services_status ON public.services (status);
CREATE INDEX idx_services_created_by ON public.services (created_by);
CREATE INDEX idx_services_updated_by ON public.services (updated_by);

CREATE TRIGGER update_services_updated_at BEFORE UPDATE ON public.services FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.services TO daybook_projector;
GRANT SELECT ON public.services TO application_role, daybook_analyst, daybook_auditor;
