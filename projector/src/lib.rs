//! The read side: events to rows, audit_logs, rebuild, as-of, queries.
