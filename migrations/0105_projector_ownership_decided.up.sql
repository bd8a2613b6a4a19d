-- Whether anybody has said how lanes are given out here. On a fresh database the first worker's
-- configuration says it; afterwards `daybook admin ownership` alone does.
ALTER TABLE projector.ownership ADD COLUMN decided boolean NOT NULL DEFAULT false;
UPDATE projector.ownership SET decided = EXISTS (SELECT FROM projector.lanes);
GRANT UPDATE (mode, decided, updated_at) ON projector.ownership TO daybook_projector;
