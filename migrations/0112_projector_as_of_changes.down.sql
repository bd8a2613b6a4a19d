ALTER TABLE projector.as_of DROP COLUMN from_position;
