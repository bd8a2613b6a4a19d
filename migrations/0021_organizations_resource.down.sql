DROP TABLE public.resource_metadata;
DROP TABLE public.resources;
