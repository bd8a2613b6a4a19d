-- What contracts are held to. definition is the check as commands write it, such as
-- {"kind": "name_pattern", "pattern": "^[a-z]+$"}.
CREATE TABLE public.ssot_governance_rules (
    id uuid PRIMARY KEY,
    rule_name varchar(255) NOT NULL UNIQUE,
    rule_kind varchar(50) NOT NULL,
    definition jsonb NOT NULL,
    severity varchar(20) NOT NULL,
    description text,
    is_enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by varchar(255) NOT NULL,
    updated_by varchar(255) NOT NULL,
    CONSTRAINT chk_ssot_governance_rules_rule_kind CHECK
        (rule_kind IN ('name_pattern', 'https_only', 'version_scheme', 'description_required', 'host_allowed')),
    CONSTRAINT chk_ssot_governance_rules_severity CHECK (severity IN ('error', 'warning'))
);
CREATE INDEX idx_ssot_governance_rules_rule_kind ON public.ssot_governance_rules (rule_kind);
CREATE INDEX idx_ssot_governance_rules_is_enabled ON public.ssot_governance_rules (is_enabled);

CREATE TRIGGER update_ssot_governance_rules_updated_at BEFORE UPDATE ON public.ssot_governance_rules FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.ssot_governance_rules TO daybook_projector;
GRANT SELECT ON public.ssot_governance_rules TO application_role, daybook_analyst, daybook_auditor;
