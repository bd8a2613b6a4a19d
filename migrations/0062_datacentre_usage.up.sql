-- One row a sample. value is numeric(20,6): real samples overflow numeric(10,2) or lose their decimals.
-- id is unique in the log; PostgreSQL wants the partition's column beside it.
CREATE TABLE public.dc_usage_metrics (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    server_id uuid REFERENCES public.dc_servers (id) ON DELETE CASCADE,
    metric_type varchar(50) NOT NULL,
    value numeric(20,6) NOT NULL,
    unit varchar(20) NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (id, recorded_at),
    CONSTRAINT dc_usage_metrics_sample_key UNIQUE (server_id, metric_type, recorded_at)
) PARTITION BY RANGE (recorded_at);
CREATE INDEX idx_usage_metrics_server_time ON public.dc_usage_metrics (server_id, recorded_at DESC);
CREATE INDEX idx_dc_usage_metrics_metric_type ON public.dc_usage_metrics (metric_type);
CREATE INDEX idx_dc_usage_metrics_recorded_at ON public.dc_usage_metrics (recorded_at);

CREATE TRIGGER update_dc_usage_metrics_updated_at BEFORE UPDATE ON public.dc_usage_metrics FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.dc_usage_metrics TO daybook_projector;
GRANT SELECT ON public.dc_usage_metrics TO application_role, daybook_analyst, daybook_auditor;

-- dc_usage_metrics_y2024w01 holds 2024-01-01 to 2024-01-08.
INSERT INTO projector.monthly_tables (table_name, column_name, suffix, period)
VALUES ('dc_usage_metrics', 'recorded_at', '"_y"IYYY"w"IW', 'week');
SELECT projector.make_partitions('dc_usage_metrics', now() - interval '1 month', now() + interval '3 months');
