CREATE TABLE public.dc_servers (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    hostname varchar(100) NOT NULL UNIQUE,
    ip_address inet NOT NULL,
    server_type varchar(50) NOT NULL,
    rack_location varchar(20),
    cpu_cores integer,
    memory_gb integer,
    storage_gb integer,
    status varchar(20) NOT NULL DEFAULT 'active',
    status_reason text,
    customer_id uuid REFERENCES public.users (id),
    decommissioned_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by uuid REFERENCES public.users (id),
    updated_by uuid REFERENCES public.users (id),
    CONSTRAINT chk_dc_servers_hostname CHECK (hostname = lower(hostname)),
    CONSTRAINT chk_dc_servers_status CHECK (status IN ('active', 'maintenance', 'decommissioned')),
    CONSTRAINT chk_dc_servers_cpu_cores CHECK (cpu_cores > 0),
    CONSTRAINT chk_dc_servers_memory_gb CHECK (memory_gb > 0),
    CONSTRAINT chk_dc_servers_storage_gb CHECK (storage_gb > 0)
);
CREATE INDEX idx_dc_servers_customer_id ON public.dc_servers (customer_id);
CREATE INDEX idx_dc_servers_status ON public.dc_servers (status);
CREATE INDEX idx_dc_servers_created_by ON public.dc_servers (created_by);
CREATE INDEX idx_dc_servers_updated_by ON public.dc_servers (updated_by);

CREATE TRIGGER update_dc_servers_updated_at BEFORE UPDATE ON public.dc_servers FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.dc_servers TO daybook_projector;
GRANT SELECT ON public.dc_servers TO application_role, daybook_analyst, daybook_auditor;
