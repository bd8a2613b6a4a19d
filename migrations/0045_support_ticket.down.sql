DROP TABLE public.support_tickets;
