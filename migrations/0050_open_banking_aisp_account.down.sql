DELETE FROM projector.monthly_tables WHERE table_name = 'aisp_transactions';
DROP TABLE public.aisp_transactions;
DROP TABLE public.aisp_accounts;
