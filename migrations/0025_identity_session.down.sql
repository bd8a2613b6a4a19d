DROP TABLE public.sessions;
DROP INDEX public.idx_api_keys_due;
