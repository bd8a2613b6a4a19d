-- The union of what the documents call sessions: tokens by which users who signed in act for a
-- while. The token itself is nowhere: only its hash, which is never used again. A session that has
-- ended keeps its row.
CREATE TABLE public.sessions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES public.users (id) ON DELETE RESTRICT,
    org_id uuid REFERENCES public.organizations (id) ON DELETE CASCADE,
    token_hash varchar(255) NOT NULL UNIQUE,
    ip_address inet,
    user_agent text,
    status varchar(20) NOT NULL DEFAULT 'active',
    is_active boolean GENERATED ALWAYS AS (status = 'active') STORED,
    expires_at timestamptz NOT NULL,
    extended_at timestamptz,
    closed_at timestamptz,
    closed_reason text,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by uuid REFERENCES public.users (id),
    updated_by uuid REFERENCES public.users (id),
    CONSTRAINT chk_sessions_status CHECK (status IN ('active', 'closed', 'expired'))
);
CREATE INDEX idx_sessions_token_hash ON public.sessions (token_hash);
CREATE INDEX idx_sessions_expires_at ON public.sessions (expires_at);
CREATE INDEX idx_sessions_user_id ON public.sessions (user_id);
CREATE INDEX idx_sessions_org_id ON public.sessions (org_id);
CREATE INDEX idx_sessions_created_by ON public.sessions (created_by);
CREATE INDEX idx_sessions_updated_by ON public.sessions (updated_by);
-- What has come due is found among those that are open, however many have ended.
CREATE INDEX idx_sessions_due ON public.sessions (expires_at) WHERE status = 'active';
CREATE INDEX idx_api_keys_due ON public.api_keys (expires_at) WHERE status = 'active';

CREATE TRIGGER update_sessions_updated_at BEFORE UPDATE ON public.sessions FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.sessions TO daybook_projector;
GRANT SELECT ON public.sessions TO application_role;
-- Everything but the token's hash.
GRANT SELECT (id, user_id, org_id, ip_address, user_agent, status, is_active, expires_at, extended_at, closed_at,
        closed_reason, created_at, updated_at, created_by, updated_by)
    ON public.sessions TO daybook_analyst, daybook_auditor;
