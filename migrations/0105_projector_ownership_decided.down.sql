REVOKE UPDATE (mode, decided, updated_at) ON projector.ownership FROM daybook_projector;
ALTER TABLE projector.ownership DROP COLUMN decided;
