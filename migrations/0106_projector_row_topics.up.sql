-- How far the topics of rows are: up to which position of the log each row that changed since has
-- been published. A topic that has no row here is filled from the log's beginning.
CREATE TABLE projector.row_topics (
    topic text PRIMARY KEY,
    table_name text NOT NULL,
    position bigint NOT NULL DEFAULT 0,
    said_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 20);

-- Who publishes them, one process at a time; `turn` grows each time that another one does.
CREATE TABLE projector.row_publishers (
    prefix text PRIMARY KEY,
    holder uuid,
    turn bigint NOT NULL DEFAULT 0,
    lease_until timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 20);

GRANT SELECT, INSERT, UPDATE, DELETE ON projector.row_topics, projector.row_publishers TO daybook_projector;
GRANT SELECT ON projector.row_topics, projector.row_publishers
    TO daybook_maintenance, daybook_writer, application_role, daybook_analyst, daybook_auditor;
