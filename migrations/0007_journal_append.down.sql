-- Nothing can be appended afterwards; what is in the log stays.
DROP PROCEDURE journal.append;
DROP FUNCTION journal.append_batch;
DROP TYPE journal.append_answer;
