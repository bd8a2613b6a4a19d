CREATE TYPE public.plan_tier AS ENUM ('free', 'starter', 'business', 'enterprise');

CREATE TABLE public.organizations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name varchar(255) NOT NULL,
    plan_tier public.plan_tier NOT NULL DEFAULT 'free',
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by uuid REFERENCES public.users (id),
    updated_by uuid REFERENCES public.users (id),
    deleted_at timestamptz
);
CREATE INDEX idx_organizations_created_at ON public.organizations (created_at);
CREATE INDEX idx_organizations_created_by ON public.organizations (created_by);
CREATE INDEX idx_organizations_updated_by ON public.organizations (updated_by);

-- Who belongs to which organization, and as what. That an owner stays is a rule of the log: a
-- constraint cannot see the other rows.
CREATE TABLE public.org_members (
    org_id uuid NOT NULL REFERENCES public.organizations (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    role varchar(20) NOT NULL DEFAULT 'member',
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by uuid REFERENCES public.users (id),
    updated_by uuid REFERENCES public.users (id),
    PRIMARY KEY (org_id, user_id),
    CONSTRAINT chk_org_members_role CHECK (role IN ('owner', 'admin', 'member', 'viewer'))
);
CREATE INDEX idx_org_members_user_id ON public.org_members (user_id);
CREATE INDEX idx_org_members_created_by ON public.org_members (created_by);
CREATE INDEX idx_org_members_updated_by ON public.org_members (updated_by);

CREATE TRIGGER update_organizations_updated_at BEFORE UPDATE ON public.organizations FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();
CREATE TRIGGER update_org_members_updated_at BEFORE UPDATE ON public.org_members FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.organizations, public.org_members TO daybook_projector;
GRANT SELECT ON public.organizations, public.org_members TO application_role, daybook_analyst, daybook_auditor;
