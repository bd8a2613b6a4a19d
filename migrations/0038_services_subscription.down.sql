DROP TABLE public.service_subscriptions;
