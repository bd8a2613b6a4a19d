//! The invariants, asked of a log at rest.

use crate::support::TestLog;

/// Each must be 0.
const BROKEN: [(&str, &str); 10] = [
    (
        "positions not dense from 1",
        "SELECT count(*) FROM (SELECT position, row_number() OVER (ORDER BY position) n FROM journal.events) e WHERE position <> n",
    ),
    (
        "recorded_at not growing with position",
        "SELECT count(*) FROM (SELECT recorded_at, lag(recorded_at) OVER (ORDER BY position) before FROM journal.events) e WHERE recorded_at <= before",
    ),
    (
        "versions not dense in a stream",
        "SELECT count(*) FROM (SELECT version, row_number() OVER (PARTITION BY stream_id ORDER BY position) n FROM journal.events) e WHERE version <> n",
    ),
    (
        "lane_seq not dense in a lane",
        "SELECT count(*) FROM (SELECT lane_seq, row_number() OVER (PARTITION BY lane ORDER BY position) n FROM journal.events) e WHERE lane_seq <> n",
    ),
    (
        "streams' heads wrong",
        "SELECT count(*) FROM (SELECT stream_id, max(version) v, max(recorded_at) l FROM journal.events GROUP BY 1) e FULL JOIN journal.streams s USING (stream_id) WHERE s.version IS DISTINCT FROM e.v OR s.last_at IS DISTINCT FROM e.l",
    ),
    (
        "head wrong",
        "SELECT count(*) FROM (SELECT * FROM journal.batches ORDER BY batch DESC LIMIT 1) b WHERE b.position <> (SELECT count(*) FROM journal.events) OR (SELECT sum(h) FROM unnest(b.lane_heads) h) <> b.position",
    ),
    (
        "requests half written",
        "SELECT count(*) FROM journal.commands c LEFT JOIN LATERAL (SELECT count(*) n, min(position) low, max(position) high FROM journal.events e WHERE e.command_id = c.id) e ON true WHERE e.n <> c.events OR c.events > 0 AND (e.high <> c.position OR e.low <> c.position - c.events + 1)",
    ),
    (
        "events of no command",
        "SELECT count(*) FROM journal.events e WHERE NOT EXISTS (SELECT FROM journal.commands c WHERE c.id = e.command_id)",
    ),
    (
        "dependencies that are not before",
        "SELECT count(*) FROM journal.events e, generate_series(1, cardinality(e.after), 2) i LEFT JOIN LATERAL (SELECT position FROM journal.events d WHERE d.lane = e.after[i] AND d.lane_seq = e.after[i + 1]) d ON true WHERE d.position IS NULL OR d.position >= e.position OR e.after[i] = e.lane",
    ),
    (
        "batches going back",
        "SELECT count(*) FROM (SELECT position, recorded_at, lag(position) OVER w p, lag(recorded_at) OVER w r FROM journal.batches WINDOW w AS (ORDER BY batch)) b WHERE position < p OR recorded_at <= r",
    ),
];

/// Fails if the log breaks an invariant.
pub(crate) async fn invariants(test: &TestLog) {
    for (broken, query) in BROKEN {
        let count: i64 = test.ask(query).await;
        assert_eq!(count, 0, "{broken}");
    }
}
