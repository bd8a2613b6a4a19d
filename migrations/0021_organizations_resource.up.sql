-- What an organization has. A deleted resource keeps its row.
CREATE TABLE public.resources (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    org_id uuid NOT NULL REFERENCES public.organizations (id) ON DELETE CASCADE,
    name varchar(255) NOT NULL,
    type varchar(50) NOT NULL,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by uuid REFERENCES public.users (id),
    updated_by uuid REFERENCES public.users (id),
    deleted_at timestamptz
);
CREATE INDEX idx_resources_org_id ON public.resources (org_id);
CREATE INDEX idx_resources_type ON public.resources (type);
CREATE INDEX idx_resources_created_at ON public.resources (created_at);
CREATE INDEX idx_resources_created_by ON public.resources (created_by);
CREATE INDEX idx_resources_updated_by ON public.resources (updated_by);

-- What an organization wants to know of a resource: an object of its own making.
CREATE TABLE public.resource_metadata (
    resource_id uuid PRIMARY KEY REFERENCES public.resources (id) ON DELETE CASCADE,
    data jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by uuid REFERENCES public.users (id),
    updated_by uuid REFERENCES public.users (id),
    CONSTRAINT chk_resource_metadata_data CHECK (jsonb_typeof(data) = 'object')
);
CREATE INDEX idx_resource_metadata_data ON public.resource_metadata USING gin (data);
CREATE INDEX idx_resource_metadata_created_by ON public.resource_metadata (created_by);
CREATE INDEX idx_resource_metadata_updated_by ON public.resource_metadata (updated_by);

CREATE TRIGGER update_resources_updated_at BEFORE UPDATE ON public.resources FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();
CREATE TRIGGER update_resource_metadata_updated_at BEFORE UPDATE ON public.resource_metadata FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.resources, public.resource_metadata TO daybook_projector;
GRANT SELECT ON public.resources, public.resource_metadata TO application_role, daybook_analyst, daybook_auditor;
