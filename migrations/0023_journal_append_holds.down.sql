DO $do$
DECLARE
    definition text := pg_get_functiondef((SELECT p.oid FROM pg_proc p
        WHERE p.proname = 'append_batch' AND p.pronamespace = 'journal'::regnamespace));
    fast CONSTANT text := 'AND (d.target, d.holder) NOT IN (SELECT u.target, u.holder FROM unnest(p_holds) AS u WHERE NOT u.taken)';
    slow CONSTANT text := 'AND NOT EXISTS (SELECT FROM unnest(p_holds) AS u
                                  WHERE NOT u.taken AND u.target = d.target AND u.holder = d.holder)';
BEGIN
    EXECUTE replace(definition, fast, slow);
END
$do$;
