-- created_by and updated_by are the user's id as text, as the document has them: the registry may be
-- handed on without its users. governance is what each rule said to the contract's latest version.
CREATE TABLE public.ssot_api_contracts (
    id uuid PRIMARY KEY,
    canonical_name varchar(255) NOT NULL UNIQUE,
    version varchar(50) NOT NULL,
    description text,
    base_url varchar(500) NOT NULL,
    status varchar(20) NOT NULL DEFAULT 'active',
    status_reason text,
    governance jsonb NOT NULL DEFAULT '[]',
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by varchar(255) NOT NULL,
    updated_by varchar(255) NOT NULL,
    CONSTRAINT chk_ssot_api_contracts_status CHECK (status IN ('active', 'deprecated', 'archived')),
    CONSTRAINT chk_ssot_api_contracts_base_url CHECK (base_url ~* '^https?://[^[:space:]]+$')
);
CREATE INDEX idx_ssot_api_contracts_canonical_name ON public.ssot_api_contracts (canonical_name);
CREATE INDEX idx_ssot_api_contracts_status ON public.ssot_api_contracts (status);

-- An alias is unique in its context, also once it has ended.
CREATE TABLE public.ssot_api_aliases (
    id uuid PRIMARY KEY,
    contract_id uuid NOT NULL REFERENCES public.ssot_api_contracts (id),
    alias_name varchar(255) NOT NULL,
    context varchar(100) NOT NULL,
    alias_type varchar(20) NOT NULL DEFAULT 'permanent',
    expires_at timestamptz,
    description text,
    is_active boolean NOT NULL DEFAULT true,
    ended_at timestamptz,
    ended_reason text,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by varchar(255) NOT NULL,
    updated_by varchar(255) NOT NULL,
    UNIQUE (alias_name, context),
    CONSTRAINT chk_ssot_api_aliases_alias_type CHECK (alias_type IN ('permanent', 'temporary')),
    CONSTRAINT chk_ssot_api_aliases_expires_at CHECK ((alias_type = 'temporary') = (expires_at IS NOT NULL))
);
CREATE INDEX idx_ssot_api_aliases_contract_id ON public.ssot_api_aliases (contract_id);
CREATE INDEX idx_ssot_api_aliases_alias_name ON public.ssot_api_aliases (alias_name);
CREATE INDEX idx_ssot_api_aliases_context ON public.ssot_api_aliases (context);
CREATE INDEX idx_ssot_api_aliases_active ON public.ssot_api_aliases (is_active);
CREATE INDEX idx_ssot_api_aliases_expires_at ON public.ssot_api_aliases (expires_at);

CREATE TRIGGER update_ssot_api_contracts_updated_at BEFORE UPDATE ON public.ssot_api_contracts FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();
CREATE TRIGGER update_ssot_api_aliases_updated_at BEFORE UPDATE ON public.ssot_api_aliases FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.ssot_api_contracts, public.ssot_api_aliases TO daybook_projector;
GRANT SELECT ON public.ssot_api_contracts, public.ssot_api_aliases
    TO application_role, daybook_analyst, daybook_auditor;
