-- The roles that a user has beside the built-in one in users.role.
CREATE TABLE public.user_roles (
    user_id uuid NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    role_id uuid NOT NULL REFERENCES public.roles (id) ON DELETE CASCADE,
    assigned_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    assigned_by uuid REFERENCES public.users (id),
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (user_id, role_id)
);
CREATE INDEX idx_user_roles_role_id ON public.user_roles (role_id);
CREATE INDEX idx_user_roles_assigned_by ON public.user_roles (assigned_by);

CREATE TRIGGER update_user_roles_updated_at BEFORE UPDATE ON public.user_roles FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.user_roles TO daybook_projector;
GRANT SELECT ON public.user_roles TO application_role, daybook_analyst, daybook_auditor;
