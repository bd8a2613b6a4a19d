DROP TABLE public.ssot_governance_rules;
