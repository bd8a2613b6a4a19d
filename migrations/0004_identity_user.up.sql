CREATE TYPE public.user_status AS ENUM ('active', 'inactive', 'suspended', 'deleted');

-- The union of what the documents call users. PostgreSQL cannot hold UNIQUE (email) on a table that
-- is hash-partitioned by id: the log's claims and user_identifiers hold it.
CREATE TABLE public.users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    username varchar(50) NOT NULL,
    email varchar(255) NOT NULL,
    full_name varchar(255) NOT NULL,
    first_name varchar(100) NOT NULL,
    last_name varchar(100) NOT NULL,
    phone varchar(20),
    password_hash varchar(255) NOT NULL,
    status public.user_status NOT NULL DEFAULT 'active',
    is_active boolean GENERATED ALWAYS AS (status = 'active') STORED,
    name varchar(100) GENERATED ALWAYS AS (left(full_name, 100)) STORED,
    is_verified boolean NOT NULL DEFAULT false,
    role varchar(50) NOT NULL DEFAULT 'user',
    last_login timestamptz,
    failed_logins int NOT NULL DEFAULT 0,
    locked_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by uuid REFERENCES public.users (id),
    updated_by uuid REFERENCES public.users (id),
    deleted_at timestamptz,
    CONSTRAINT chk_email_format CHECK (email ~* '^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$'),
    CONSTRAINT chk_users_role CHECK (role IN ('admin', 'manager', 'user', 'viewer', 'auditor'))
) PARTITION BY HASH (id);

CREATE TABLE public.users_p0 PARTITION OF public.users FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE public.users_p1 PARTITION OF public.users FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE public.users_p2 PARTITION OF public.users FOR VALUES WITH (MODULUS 4, REMAINDER 2);
CREATE TABLE public.users_p3 PARTITION OF public.users FOR VALUES WITH (MODULUS 4, REMAINDER 3);

CREATE INDEX idx_users_email ON public.users (email);
CREATE INDEX idx_users_username ON public.users (username);
CREATE INDEX idx_users_status ON public.users (status);
CREATE INDEX idx_users_active ON public.users (is_active);
CREATE INDEX idx_users_created_at ON public.users (created_at DESC);
CREATE INDEX idx_users_created_by ON public.users (created_by);
CREATE INDEX idx_users_updated_by ON public.users (updated_by);

-- What a user is found by, and what is unique among users: email and username without regard to
-- case (the key is in lower case). A deleted user keeps theirs.
CREATE TABLE public.user_identifiers (
    kind varchar(20) NOT NULL,
    key varchar(255) NOT NULL,
    user_id uuid NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (kind, key),
    CONSTRAINT chk_user_identifiers_kind CHECK (kind IN ('email', 'username'))
);
CREATE INDEX idx_user_identifiers_user_id ON public.user_identifiers (user_id);

CREATE TRIGGER update_users_updated_at BEFORE UPDATE ON public.users FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at();
CREATE TRIGGER update_user_identifiers_updated_at BEFORE UPDATE ON public.user_identifiers FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();

-- Constraints between two contexts' tables belong to the one that comes later.
ALTER TABLE public.audit_logs ADD CONSTRAINT audit_logs_user_id_fkey
    FOREIGN KEY (user_id) REFERENCES public.users (id);

GRANT SELECT, INSERT, UPDATE, DELETE ON public.users, public.user_identifiers TO daybook_projector;
GRANT SELECT ON public.users, public.user_identifiers TO application_role;
GRANT SELECT ON public.user_identifiers TO daybook_analyst, daybook_auditor;
-- Everything but the password's hash.
GRANT SELECT (id, username, email, full_name, first_name, last_name, phone, status, is_active, name,
        is_verified, role, last_login, failed_logins, locked_until, created_at, updated_at, created_by, updated_by, deleted_at)
    ON public.users TO daybook_analyst, daybook_auditor;
