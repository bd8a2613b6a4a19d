DROP TABLE public.it_assets;
