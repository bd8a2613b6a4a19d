DROP TABLE public.ssot_api_aliases;
DROP TABLE public.ssot_api_contracts;
