-- Keys by which services are known. The secret itself is nowhere: only its hash.
CREATE TABLE public.api_keys (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES public.users (id),
    name varchar(100) NOT NULL,
    prefix varchar(32) NOT NULL,
    secret_hash varchar(255) NOT NULL,
    scopes text[] NOT NULL,
    status varchar(20) NOT NULL DEFAULT 'active',
    is_active boolean GENERATED ALWAYS AS (status = 'active') STORED,
    expires_at timestamptz,
    rotated_at timestamptz,
    revoked_at timestamptz,
    revoked_reason text,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by uuid REFERENCES public.users (id),
    updated_by uuid REFERENCES public.users (id),
    CONSTRAINT chk_api_keys_status CHECK (status IN ('active', 'revoked', 'expired'))
);
CREATE INDEX idx_api_keys_user_id ON public.api_keys (user_id);
CREATE INDEX idx_api_keys_prefix ON public.api_keys (prefix);
CREATE INDEX idx_api_keys_expires_at ON public.api_keys (expires_at);
CREATE INDEX idx_api_keys_created_by ON public.api_keys (created_by);
CREATE INDEX idx_api_keys_updated_by ON public.api_keys (updated_by);

CREATE TRIGGER update_api_keys_updated_at BEFORE UPDATE ON public.api_keys FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.api_keys TO daybook_projector;
GRANT SELECT ON public.api_keys TO application_role;
-- Everything but the secret's hash.
GRANT SELECT (id, user_id, name, prefix, scopes, status, is_active, expires_at, rotated_at, revoked_at,
        revoked_reason, created_at, updated_at, created_by, updated_by)
    ON public.api_keys TO daybook_analyst, daybook_auditor;
