-- Of these contracts ($1 names, $2 versions, $3 addresses): how many are missing or have another
-- version or address; of how many the rule $6 says something else of plain http than the file ($4);
-- of how many the rule $7 says something else of descriptions that are missing ($5).
SELECT count(*) FILTER (WHERE (c.version, c.base_url) IS DISTINCT FROM (f.version, f.base_url)),
       count(*) FILTER (WHERE f.plain IS DISTINCT FROM c.governance @> jsonb_build_array(jsonb_build_object('rule_name', $6::text, 'passed', false))),
       count(*) FILTER (WHERE f.bare IS DISTINCT FROM c.governance @> jsonb_build_array(jsonb_build_object('rule_name', $7::text, 'passed', false)))
FROM unnest($1::text[], $2::text[], $3::text[], $4::bool[], $5::bool[]) AS f (name, version, base_url, plain, bare)
LEFT JOIN public.ssot_api_contracts AS c ON c.canonical_name = f.name
