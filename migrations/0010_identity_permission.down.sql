DROP TABLE public.permissions;
