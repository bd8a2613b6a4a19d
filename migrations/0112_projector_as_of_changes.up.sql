-- A schema may also hold what changed between two positions, made by `daybook compare --schema`: then
-- this is the earlier one, and `position` the later.
ALTER TABLE projector.as_of ADD COLUMN from_position bigint CHECK (from_position <= position);
