-- Moves the checkpoints of a batch's lanes by compare-and-set on (owner, epoch, last lane_seq).
-- Fewer rows than lanes: another worker owns one now. The lock on the lane's row, which only a
-- change of hands writes, holds a taker back until this transaction has ended.
WITH owned AS (
    SELECT l.lane, l.epoch
    FROM projector.lanes l
    WHERE l.name = $1 AND l.version = $2 AND l.lane = ANY ($3::smallint[]) AND l.owner = $8
    ORDER BY l.lane
    FOR SHARE
)
INSERT INTO projector.moves (name, version, lane, from_seq, lane_seq, position, epoch)
SELECT $1, $2, a.lane, a.from_seq, a.lane_seq, a.position, a.epoch
FROM unnest($3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
         AS a (lane, epoch, from_seq, lane_seq, position)
JOIN owned o ON o.lane = a.lane AND o.epoch = a.epoch
WHERE a.from_seq = COALESCE((
    SELECT m.lane_seq FROM projector.moves m
    WHERE m.name = $1 AND m.version = $2 AND m.lane = a.lane
    ORDER BY m.from_seq DESC LIMIT 1
), 0)
