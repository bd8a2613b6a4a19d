DROP TABLE public.billing_accounts;
