CREATE TABLE public.accounts (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES public.users (id),
    account_name varchar(255) NOT NULL,
    account_type varchar(50) NOT NULL,
    account_number varchar(50) NOT NULL UNIQUE,
    balance numeric(15,2) NOT NULL DEFAULT 0.00,
    currency varchar(3) NOT NULL DEFAULT 'USD',
    overdraft_limit numeric(15,2) NOT NULL DEFAULT 0.00,
    status varchar(20) NOT NULL DEFAULT 'active',
    is_active boolean GENERATED ALWAYS AS (status = 'active') STORED,
    frozen_at timestamptz,
    closed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by uuid REFERENCES public.users (id),
    updated_by uuid REFERENCES public.users (id),
    CONSTRAINT chk_accounts_account_type CHECK (account_type IN ('checking', 'savings', 'investment', 'credit', 'loan')),
    CONSTRAINT chk_accounts_status CHECK (status IN ('active', 'frozen', 'closed')),
    CONSTRAINT chk_accounts_currency CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT chk_accounts_overdraft_limit CHECK (overdraft_limit >= 0),
    CONSTRAINT chk_accounts_closed_at_zero CHECK (status <> 'closed' OR balance = 0)
)
-- A balance changes often and no index holds it: room for the next version beside the last one.
WITH (fillfactor = 80);
CREATE INDEX idx_accounts_user_id ON public.accounts (user_id);
CREATE INDEX idx_accounts_type ON public.accounts (account_type);
CREATE INDEX idx_accounts_active ON public.accounts (is_active);
CREATE INDEX idx_accounts_created_by ON public.accounts (created_by);
CREATE INDEX idx_accounts_updated_by ON public.accounts (updated_by);

-- amount is positive, direction says which way; balance_after is the account's balance once the
-- transaction is completed (empty while it is pending, and when it never was). id is unique in the
-- log; PostgreSQL wants the partition's column beside it.
CREATE TABLE public.transactions (
    id uuid NOT NULL,
    account_id uuid NOT NULL REFERENCES public.accounts (id),
    transaction_type varchar(50) NOT NULL,
    direction varchar(6) NOT NULL,
    amount numeric(15,2) NOT NULL,
    currency varchar(3) NOT NULL,
    balance_after numeric(15,2),
    description text,
    reference_number varchar(100),
    counterparty_bank varchar(100),
    counterparty_account varchar(50),
    counterparty_account_id uuid,
    transfer_id uuid,
    status varchar(20) NOT NULL DEFAULT 'pending',
    status_reason text,
    transaction_date timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    processed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by uuid REFERENCES public.users (id),
    updated_by uuid REFERENCES public.users (id),
    PRIMARY KEY (id, transaction_date),
    CONSTRAINT chk_transactions_transaction_type CHECK (transaction_type IN ('deposit', 'withdrawal', 'transfer', 'payment', 'fee', 'interest')),
    CONSTRAINT chk_transactions_direction CHECK (direction IN ('credit', 'debit')),
    CONSTRAINT chk_transactions_status CHECK (status IN ('pending', 'completed', 'failed', 'cancelled')),
    CONSTRAINT chk_transactions_amount_positive CHECK (amount > 0),
    CONSTRAINT chk_transactions_currency CHECK (currency ~ '^[A-Z]{3}$')
) PARTITION BY RANGE (transaction_date);
CREATE INDEX idx_transactions_account_id ON public.transactions (account_id);
CREATE INDEX idx_transactions_type ON public.transactions (transaction_type);
CREATE INDEX idx_transactions_status ON public.transactions (status);
CREATE INDEX idx_transactions_date ON public.transactions (transaction_date);
CREATE INDEX idx_transactions_created_by ON public.transactions (created_by);
CREATE INDEX idx_transactions_updated_by ON public.transactions (updated_by);

CREATE TRIGGER update_accounts_updated_at BEFORE UPDATE ON public.accounts FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();
CREATE TRIGGER update_transactions_updated_at BEFORE UPDATE ON public.transactions FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.accounts, public.transactions TO daybook_projector;
GRANT SELECT ON public.accounts, public.transactions TO application_role, daybook_analyst, daybook_auditor;

INSERT INTO projector.monthly_tables VALUES ('transactions', 'transaction_date', '"_y"YYYY"m"MM');
SELECT projector.make_partitions('transactions', now() - interval '1 month', now() + interval '3 months');
