DROP TABLE public.comments;
