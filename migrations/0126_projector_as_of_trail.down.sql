ALTER TABLE projector.as_of DROP COLUMN trail;
