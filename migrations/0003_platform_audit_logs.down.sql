DELETE FROM projector.monthly_tables WHERE table_name = 'audit_logs';
DROP TABLE public.audit_logs;
