DROP TABLE public.recycling_processing;
DROP TABLE public.recycling_collections;
