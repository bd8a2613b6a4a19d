DROP TABLE public.system_settings;
