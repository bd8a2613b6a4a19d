-- One worker's turn where Kafka's group gives out the lanes ($4), serialised by the lock that the
-- caller holds. What was given to it just now ($5) it takes from whoever has it. What it was given
-- before, and somebody else has taken since, is that one's: Kafka will say so soon. Only where
-- nobody alive has it, or Kafka has said nothing for longer than a session lasts, it is taken back.
UPDATE projector.lanes l
SET owner = CASE WHEN l.lane = ANY ($4::smallint[]) THEN $3 END,
    epoch = l.epoch + 1,
    since = clock_timestamp()
WHERE l.name = $1 AND l.version = $2
  AND (
    l.lane = ANY ($5::smallint[])
    OR (l.owner = $3 AND NOT l.lane = ANY ($4::smallint[]))
    OR (
        l.lane = ANY ($4::smallint[]) AND l.owner IS DISTINCT FROM $3
        AND (
            l.owner IS NULL
            OR l.since < clock_timestamp() - interval '15 seconds'
            OR NOT EXISTS (
                SELECT FROM projector.workers w
                WHERE w.id = l.owner AND w.lease_until > clock_timestamp()
            )
        )
    )
  )
