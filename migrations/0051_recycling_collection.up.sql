-- weight_kg is there once a collection was made; processed_kg is what its processings add up to,
-- never more than that.
CREATE TABLE public.recycling_collections (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id uuid NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    collection_type varchar(50) NOT NULL,
    scheduled_date date NOT NULL,
    actual_date date,
    status varchar(20) NOT NULL DEFAULT 'scheduled',
    status_reason text,
    weight_kg numeric(8,2),
    processed_kg numeric(8,2) NOT NULL DEFAULT 0,
    location_address text NOT NULL,
    notes text,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by uuid REFERENCES public.users (id),
    updated_by uuid REFERENCES public.users (id),
    CONSTRAINT chk_recycling_collections_status CHECK (status IN ('scheduled', 'completed', 'missed', 'cancelled')),
    CONSTRAINT chk_recycling_collections_completed CHECK ((status = 'completed') = (weight_kg IS NOT NULL)
        AND (weight_kg IS NULL) = (actual_date IS NULL)),
    CONSTRAINT chk_recycling_collections_weight CHECK (weight_kg > 0),
    CONSTRAINT chk_recycling_collections_processed CHECK (processed_kg BETWEEN 0 AND COALESCE(weight_kg, 0))
);
CREATE INDEX idx_collections_date_status ON public.recycling_collections (scheduled_date, status);
CREATE INDEX idx_recycling_collections_customer_id ON public.recycling_collections (customer_id);
CREATE INDEX idx_recycling_collections_status ON public.recycling_collections (status);
CREATE INDEX idx_recycling_collections_created_by ON public.recycling_collections (created_by);
CREATE INDEX idx_recycling_collections_updated_by ON public.recycling_collections (updated_by);

CREATE TABLE public.recycling_processing (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    collection_id uuid NOT NULL REFERENCES public.recycling_collections (id),
    material_type varchar(50) NOT NULL,
    weight_kg numeric(8,2) NOT NULL,
    recovery_rate numeric(5,2),
    processing_date date NOT NULL,
    facility_id varchar(50),
    carbon_saved_kg numeric(10,2),
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by uuid REFERENCES public.users (id),
    updated_by uuid REFERENCES public.users (id),
    CONSTRAINT chk_recycling_processing_weight CHECK (weight_kg > 0),
    CONSTRAINT chk_recycling_processing_recovery_rate CHECK (recovery_rate BETWEEN 0 AND 100),
    CONSTRAINT chk_recycling_processing_carbon_saved CHECK (carbon_saved_kg >= 0)
);
CREATE INDEX idx_recycling_processing_collection_id ON public.recycling_processing (collection_id);
CREATE INDEX idx_recycling_processing_material_type ON public.recycling_processing (material_type);
CREATE INDEX idx_recycling_processing_processing_date ON public.recycling_processing (processing_date);
CREATE INDEX idx_recycling_processing_created_by ON public.recycling_processing (created_by);
CREATE INDEX idx_recycling_processing_updated_by ON public.recycling_processing (updated_by);

CREATE TRIGGER update_recycling_collections_updated_at BEFORE UPDATE ON public.recycling_collections FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();
CREATE TRIGGER update_recycling_processing_updated_at BEFORE UPDATE ON public.recycling_processing FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.recycling_collections, public.recycling_processing TO daybook_projector;
GRANT SELECT ON public.recycling_collections, public.recycling_processing TO application_role, daybook_analyst, daybook_auditor;
