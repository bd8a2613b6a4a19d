-- How the platform is set up. The value of a secret is not here: eight asterisks stand in its place.
CREATE TABLE public.system_settings (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    key varchar(100) NOT NULL UNIQUE,
    value jsonb NOT NULL,
    value_type varchar(20) NOT NULL DEFAULT 'string',
    is_secret boolean NOT NULL DEFAULT false,
    description text,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by uuid REFERENCES public.users (id),
    updated_by uuid REFERENCES public.users (id),
    CONSTRAINT chk_system_settings_value_type CHECK (value_type IN ('string', 'integer', 'number', 'boolean', 'json')),
    CONSTRAINT chk_system_settings_secret_masked CHECK (NOT is_secret OR value = '"********"')
);
CREATE INDEX idx_system_settings_created_by ON public.system_settings (created_by);
CREATE INDEX idx_system_settings_updated_by ON public.system_settings (updated_by);

CREATE TRIGGER update_system_settings_updated_at BEFORE UPDATE ON public.system_settings FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.system_settings TO daybook_projector;
GRANT SELECT ON public.system_settings TO application_role, daybook_analyst, daybook_auditor;
