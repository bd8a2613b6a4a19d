DROP TABLE public.dc_servers;
