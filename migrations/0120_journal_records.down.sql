DROP FUNCTION journal.forget_refusals;
DROP TABLE journal.losses, journal.reads, journal.sign_ins, journal.refusals;
