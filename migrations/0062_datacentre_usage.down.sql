DELETE FROM projector.monthly_tables WHERE table_name = 'dc_usage_metrics';
DROP TABLE public.dc_usage_metrics;
