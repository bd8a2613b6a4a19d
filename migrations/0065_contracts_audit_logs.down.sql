DROP TABLE public.ssot_audit_logs;
