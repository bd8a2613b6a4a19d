-- A schema may also hold what a slice of history makes, replayed by `daybook replay --schema`: then this
-- says which slice. It is no state of the whole model, and nothing is made from it.
ALTER TABLE projector.as_of ADD COLUMN slice jsonb CHECK (slice IS NULL OR from_position IS NULL);
