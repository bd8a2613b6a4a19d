-- Permissions under a name. The built-in roles are system roles: what they allow is not a list of
-- permissions, and they neither change nor go.
CREATE TABLE public.roles (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name varchar(50) NOT NULL UNIQUE,
    description text,
    is_system boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by uuid REFERENCES public.users (id),
    updated_by uuid REFERENCES public.users (id)
);
CREATE INDEX idx_roles_created_by ON public.roles (created_by);
CREATE INDEX idx_roles_updated_by ON public.roles (updated_by);

-- What a role grants. A permission that a role grants is not removed.
CREATE TABLE public.role_permissions (
    role_id uuid NOT NULL REFERENCES public.roles (id) ON DELETE CASCADE,
    permission_id uuid NOT NULL REFERENCES public.permissions (id) ON DELETE RESTRICT,
    granted_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    granted_by uuid REFERENCES public.users (id),
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (role_id, permission_id)
);
CREATE INDEX idx_role_permissions_permission_id ON public.role_permissions (permission_id);
CREATE INDEX idx_role_permissions_granted_by ON public.role_permissions (granted_by);

CREATE TRIGGER update_roles_updated_at BEFORE UPDATE ON public.roles FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();
CREATE TRIGGER update_role_permissions_updated_at BEFORE UPDATE ON public.role_permissions FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.roles, public.role_permissions TO daybook_projector;
GRANT SELECT ON public.roles, public.role_permissions TO application_role, daybook_analyst, daybook_auditor;
