-- Where what changed is kept.
CREATE SCHEMA {schema};
CREATE TABLE {schema}.changes (
    table_name text NOT NULL,
    key jsonb NOT NULL,
    -- added, changed or removed.
    became text NOT NULL,
    -- The row, without secrets; of a changed one the columns that differ.
    before jsonb,
    after jsonb,
    -- The last event that changed it.
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    event_type text NOT NULL,
    actor_id uuid NOT NULL,
    tenant_id uuid
)
