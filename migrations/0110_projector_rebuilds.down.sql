DROP SCHEMA IF EXISTS read_model_next, read_model_before CASCADE;
DROP FUNCTION projector.make_partitions_in;
DROP TABLE projector.set_checkpoints, projector.rebuilds;
