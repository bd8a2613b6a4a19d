-- Six planner settings were made and unmade around every call, which cost about as much as a
-- twelfth of it. They are settings of the appender's session now: a connection that lacks them
-- plans worse, and appends the same. The search_path stays: it is what keeps a definer's
-- function from being led astray.
ALTER FUNCTION journal.append_batch
    RESET plan_cache_mode RESET enable_seqscan RESET enable_hashjoin
    RESET enable_mergejoin RESET enable_bitmapscan RESET jit;
