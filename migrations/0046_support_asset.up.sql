-- assigned_to is whoever has it, which is so exactly while the status says that someone does.
CREATE TABLE public.it_assets (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    asset_tag varchar(50) NOT NULL UNIQUE,
    asset_type varchar(50) NOT NULL,
    manufacturer varchar(100),
    model varchar(100),
    serial_number varchar(100),
    assigned_to uuid REFERENCES public.users (id),
    location varchar(200),
    status varchar(20) NOT NULL DEFAULT 'active',
    status_reason text,
    purchase_date date,
    warranty_expires date,
    specifications jsonb,
    assigned_at timestamptz,
    retired_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by uuid REFERENCES public.users (id),
    updated_by uuid REFERENCES public.users (id),
    CONSTRAINT chk_it_assets_status CHECK (status IN ('active', 'assigned', 'in_repair', 'retired')),
    CONSTRAINT chk_it_assets_assigned_to CHECK ((status = 'assigned') = (assigned_to IS NOT NULL)),
    CONSTRAINT chk_it_assets_assigned_at CHECK ((assigned_to IS NULL) = (assigned_at IS NULL)),
    CONSTRAINT chk_it_assets_retired_at CHECK ((status = 'retired') = (retired_at IS NOT NULL)),
    CONSTRAINT chk_it_assets_specifications CHECK (jsonb_typeof(specifications) = 'object')
);
CREATE INDEX idx_it_assets_assigned_to ON public.it_assets (assigned_to);
CREATE INDEX idx_it_assets_asset_type ON public.it_assets (asset_type);
CREATE INDEX idx_it_assets_serial_number ON public.it_assets (serial_number);
CREATE INDEX idx_it_assets_status ON public.it_assets (status);
CREATE INDEX idx_it_assets_created_by ON public.it_assets (created_by);
CREATE INDEX idx_it_assets_updated_by ON public.it_assets (updated_by);

CREATE TRIGGER update_it_assets_updated_at BEFORE UPDATE ON public.it_assets FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.it_assets TO daybook_projector;
GRANT SELECT ON public.it_assets TO application_role, daybook_analyst, daybook_auditor;
