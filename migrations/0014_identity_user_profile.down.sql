DROP TABLE public.user_profiles;
