REVOKE SELECT ON journal.events, journal.claims, journal.snapshots FROM daybook_auditor;
GRANT SELECT ON journal.events, journal.claims, journal.snapshots TO daybook_auditor;
DROP VIEW journal.claims_without_secrets;
DROP VIEW journal.events_without_secrets;
DROP FUNCTION journal.redacted;
