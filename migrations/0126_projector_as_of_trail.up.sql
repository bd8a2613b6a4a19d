-- How far the trail's digest of a state was, so that a later state's goes on from there: the SHA-256 under
-- way, how many changes by hand were in it, and which table it was read from. Empty: it is not gone on from.
ALTER TABLE projector.as_of ADD COLUMN trail jsonb CHECK (trail IS NULL OR (from_position IS NULL AND slice IS NULL));
