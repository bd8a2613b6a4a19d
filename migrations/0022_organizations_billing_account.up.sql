-- Where an organization's invoices go. One account at most is not closed; it outlives the
-- organization's (soft) deletion, and keeps its row from ever being removed: what is owed stays owed.
CREATE TABLE public.billing_accounts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    org_id uuid NOT NULL REFERENCES public.organizations (id) ON DELETE RESTRICT,
    billing_email varchar(255) NOT NULL,
    company_name varchar(255) NOT NULL,
    address_line1 varchar(255),
    address_line2 varchar(255),
    city varchar(100),
    region varchar(100),
    postal_code varchar(20),
    country varchar(2),
    tax_id varchar(50),
    currency varchar(3) NOT NULL DEFAULT 'USD',
    status varchar(20) NOT NULL DEFAULT 'active',
    status_reason text,
    suspended_at timestamptz,
    closed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by uuid REFERENCES public.users (id),
    updated_by uuid REFERENCES public.users (id),
    CONSTRAINT chk_billing_accounts_status CHECK (status IN ('active', 'suspended', 'closed')),
    CONSTRAINT chk_billing_accounts_currency CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT chk_billing_accounts_country CHECK (country ~ '^[A-Z]{2}$'),
    CONSTRAINT chk_billing_accounts_email_format
        CHECK (billing_email ~* '^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$')
);
CREATE INDEX idx_billing_accounts_org_id ON public.billing_accounts (org_id);
CREATE UNIQUE INDEX idx_billing_accounts_one_open ON public.billing_accounts (org_id) WHERE status <> 'closed';
CREATE INDEX idx_billing_accounts_status ON public.billing_accounts (status);
CREATE INDEX idx_billing_accounts_created_by ON public.billing_accounts (created_by);
CREATE INDEX idx_billing_accounts_updated_by ON public.billing_accounts (updated_by);

CREATE TRIGGER update_billing_accounts_updated_at BEFORE UPDATE ON public.billing_accounts FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.billing_accounts TO daybook_projector;
GRANT SELECT ON public.billing_accounts TO application_role, daybook_analyst, daybook_auditor;
