ALTER TABLE public.audit_logs DROP CONSTRAINT audit_logs_user_id_fkey;
DROP TABLE public.user_identifiers;
DROP TABLE public.users;
DROP TYPE public.user_status;
