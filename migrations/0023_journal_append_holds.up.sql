-- A request may close a stream together with ten thousand that hold it. Each hold on it was looked
-- for among all that the request ends by going through them, under the append lock; now they are
-- hashed once. Nothing else of the function changes, so its text is changed rather than written anew.
DO $do$
DECLARE
    definition text := pg_get_functiondef((SELECT p.oid FROM pg_proc p
        WHERE p.proname = 'append_batch' AND p.pronamespace = 'journal'::regnamespace));
    slow CONSTANT text := 'AND NOT EXISTS \(SELECT FROM unnest\(p_holds\) AS u\s+'
        'WHERE NOT u\.taken AND u\.target = d\.target AND u\.holder = d\.holder\)';
    fast CONSTANT text := 'AND (d.target, d.holder) NOT IN (SELECT u.target, u.holder FROM unnest(p_holds) AS u WHERE NOT u.taken)';
BEGIN
    IF definition !~ slow THEN
        RAISE EXCEPTION 'journal.append_batch does not look for holds the way that this migration changes';
    END IF;
    EXECUTE regexp_replace(definition, slow, fast);
END
$do$;
