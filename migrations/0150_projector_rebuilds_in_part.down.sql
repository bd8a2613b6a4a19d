-- One that is under way says where it is in the words that there are.
UPDATE projector.rebuilds SET state = CASE state WHEN 'copying' THEN 'filling' ELSE 'indexing' END
WHERE state IN ('copying', 'linking', 'analyzing');
ALTER TABLE projector.rebuilds
    DROP COLUMN unit,
    DROP COLUMN projections,
    DROP CONSTRAINT rebuilds_state_check,
    ADD CONSTRAINT rebuilds_state_check CHECK (state IN ('filling', 'indexing', 'catching up', 'comparing', 'swapping',
        'live', 'differs', 'failed', 'interrupted', 'rolled back'));
