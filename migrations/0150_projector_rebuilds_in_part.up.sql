-- A rebuild may be of some projections only, and says what its stages count.
ALTER TABLE projector.rebuilds
    -- The projections that are made again; empty: all of them.
    ADD COLUMN projections text[],
    -- What events_done and events_total count: bytes are those of the tables that are worked on, seconds
    -- those of the time that there is to take their place.
    ADD COLUMN unit text NOT NULL DEFAULT 'events' CHECK (unit IN ('events', 'bytes', 'seconds')),
    DROP CONSTRAINT rebuilds_state_check,
    ADD CONSTRAINT rebuilds_state_check CHECK (state IN ('copying', 'filling', 'indexing', 'linking', 'analyzing',
        'catching up', 'comparing', 'swapping', 'live', 'differs', 'failed', 'interrupted', 'rolled back'));
