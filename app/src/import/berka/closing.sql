-- How many of these accounts ($1) have another balance than the bank says ($2), or are missing.
SELECT count(*)
FROM unnest($1::uuid[], $2::numeric[]) AS bank (id, balance)
LEFT JOIN public.accounts AS ours ON ours.id = bank.id
WHERE ours.balance IS DISTINCT FROM bank.balance
