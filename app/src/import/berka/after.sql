-- How many of these transactions ($1) left another balance than the bank says ($2), or are missing.
SELECT count(*)
FROM unnest($1::uuid[], $2::numeric[]) AS bank (id, balance)
LEFT JOIN public.transactions AS ours ON ours.id = bank.id
WHERE ours.balance_after IS DISTINCT FROM bank.balance
