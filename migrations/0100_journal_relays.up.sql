-- Which relay publishes the log to which topic of Kafka, and how far that topic was when the relay
-- last said. What is in a topic is asked of the topic itself; only for partitions that Kafka has
-- emptied because their records were old is this row all that is known.
--
-- A row that is updated once a second: slow enough for a long snapshot to do no harm.
CREATE TABLE journal.relays (
    topic text PRIMARY KEY,
    holder uuid,
    host text,
    pid int,
    turn bigint NOT NULL DEFAULT 0,
    lease_until timestamptz NOT NULL DEFAULT '-infinity',
    position bigint NOT NULL DEFAULT 0,
    lane_seqs bigint[] NOT NULL DEFAULT array_fill(0::bigint, ARRAY[64]),
    said_at timestamptz
) WITH (fillfactor = 20);
GRANT SELECT, INSERT, UPDATE ON journal.relays TO daybook_projector;
GRANT SELECT ON journal.relays TO daybook_writer, daybook_maintenance, daybook_auditor;
