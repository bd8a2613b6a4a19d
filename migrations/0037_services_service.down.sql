DROP TABLE public.services;
