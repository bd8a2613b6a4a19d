DROP TABLE public.org_members;
DROP TABLE public.organizations;
DROP TYPE public.plan_tier;
