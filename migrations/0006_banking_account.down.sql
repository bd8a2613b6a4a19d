DELETE FROM projector.monthly_tables WHERE table_name = 'transactions';
DROP TABLE public.transactions;
DROP TABLE public.accounts;
