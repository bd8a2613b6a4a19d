UPDATE projector.as_of SET expires_at = '-infinity';
SELECT projector.drop_past_states();
DROP FUNCTION projector.drop_past_states;
DROP TABLE projector.as_of;
