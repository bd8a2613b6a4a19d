-- An account elsewhere is one user's once as long as it is linked; after that it may be linked anew,
-- as another row. The exclusion is checked when a batch is done: an account may be unlinked and linked
-- anew in one. Without a consent the three columns of it are empty.
CREATE TABLE public.aisp_accounts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    bank_id varchar(50) NOT NULL,
    account_id varchar(100) NOT NULL,
    account_type varchar(50) NOT NULL,
    currency varchar(3) NOT NULL,
    balance numeric(15,2),
    available_balance numeric(15,2),
    last_updated timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    consent_id varchar(100),
    consent_granted timestamptz,
    consent_expires timestamptz,
    unlinked_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by uuid REFERENCES public.users (id),
    updated_by uuid REFERENCES public.users (id),
    CONSTRAINT aisp_accounts_linked_once EXCLUDE USING btree (user_id WITH =, bank_id WITH =, account_id WITH =)
        WHERE (unlinked_at IS NULL) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT chk_aisp_accounts_currency CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT chk_aisp_accounts_consent CHECK ((consent_id IS NULL) = (consent_expires IS NULL)
        AND (consent_id IS NULL) = (consent_granted IS NULL)),
    CONSTRAINT chk_aisp_accounts_unlinked CHECK (unlinked_at IS NULL OR consent_id IS NULL)
)
-- A balance changes often and no index holds it: room for the next version beside the last one.
WITH (fillfactor = 80);
CREATE INDEX idx_aisp_accounts_user_id ON public.aisp_accounts (user_id);
CREATE INDEX idx_aisp_accounts_bank_id ON public.aisp_accounts (bank_id);
CREATE INDEX idx_aisp_accounts_consent_expires ON public.aisp_accounts (consent_expires);
CREATE INDEX idx_aisp_accounts_created_by ON public.aisp_accounts (created_by);
CREATE INDEX idx_aisp_accounts_updated_by ON public.aisp_accounts (updated_by);

-- amount is signed: what a transaction adds to the account, or takes from it. transaction_id is the
-- bank's own, once an account; the log's claims hold that over all months, which no index here can.
CREATE TABLE public.aisp_transactions (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    account_id uuid NOT NULL,
    transaction_id varchar(100) NOT NULL,
    amount numeric(15,2) NOT NULL,
    currency varchar(3) NOT NULL,
    description text,
    merchant_name varchar(200),
    category varchar(50),
    transaction_date date NOT NULL,
    booking_date date,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by uuid REFERENCES public.users (id),
    updated_by uuid REFERENCES public.users (id),
    PRIMARY KEY (id, transaction_date),
    CONSTRAINT aisp_transactions_told_once UNIQUE (account_id, transaction_id, transaction_date),
    CONSTRAINT fk_transaction_account FOREIGN KEY (account_id) REFERENCES public.aisp_accounts (id) ON DELETE CASCADE,
    CONSTRAINT chk_amount_not_zero CHECK (amount != 0),
    CONSTRAINT chk_aisp_transactions_currency CHECK (currency ~ '^[A-Z]{3}$')
) PARTITION BY RANGE (transaction_date);
CREATE INDEX idx_transactions_account_date ON public.aisp_transactions (account_id, transaction_date DESC);
CREATE INDEX idx_transactions_category ON public.aisp_transactions (category);
CREATE INDEX idx_aisp_transactions_transaction_id ON public.aisp_transactions (transaction_id);
CREATE INDEX idx_aisp_transactions_transaction_date ON public.aisp_transactions (transaction_date);
CREATE INDEX idx_aisp_transactions_created_by ON public.aisp_transactions (created_by);
CREATE INDEX idx_aisp_transactions_updated_by ON public.aisp_transactions (updated_by);

CREATE TRIGGER update_aisp_accounts_updated_at BEFORE UPDATE ON public.aisp_accounts FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();
CREATE TRIGGER update_aisp_transactions_updated_at BEFORE UPDATE ON public.aisp_transactions FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.aisp_accounts, public.aisp_transactions TO daybook_projector;
GRANT SELECT ON public.aisp_accounts, public.aisp_transactions TO application_role, daybook_analyst, daybook_auditor;

INSERT INTO projector.monthly_tables VALUES ('aisp_transactions', 'transaction_date', '"_y"YYYY"m"MM');
-- The month that the documents name, and those that are near.
SELECT projector.make_partitions('aisp_transactions', '2024-01-01', '2024-01-01');
SELECT projector.make_partitions('aisp_transactions', now() - interval '1 month', now() + interval '3 months');
