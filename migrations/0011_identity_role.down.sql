DROP TABLE public.role_permissions;
DROP TABLE public.roles;
