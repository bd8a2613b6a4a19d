-- What may be done to what. The name, and resource and action together, are claims of the log too;
-- both are free again once the permission is removed.
CREATE TABLE public.permissions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name varchar(100) NOT NULL UNIQUE,
    resource varchar(50) NOT NULL,
    action varchar(50) NOT NULL,
    description text,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by uuid REFERENCES public.users (id),
    updated_by uuid REFERENCES public.users (id),
    CONSTRAINT uq_permissions_resource_action UNIQUE (resource, action)
);
CREATE INDEX idx_permissions_created_by ON public.permissions (created_by);
CREATE INDEX idx_permissions_updated_by ON public.permissions (updated_by);

CREATE TRIGGER update_permissions_updated_at BEFORE UPDATE ON public.permissions FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.permissions TO daybook_projector;
GRANT SELECT ON public.permissions TO application_role, daybook_analyst, daybook_auditor;
