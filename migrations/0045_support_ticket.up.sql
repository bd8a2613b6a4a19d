-- Who works on a ticket is a person, a group, both or nobody. reassignment_count counts how often the
-- group was another one than before (or none), from the opening on; reopen_count how often it was
-- opened again. resolved_at and closed_at follow the status: empty again once it is open again, and
-- resolved_at also where it was closed unsolved. Notes are counted here; what they say is in the log.
CREATE TABLE public.support_tickets (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    title varchar(200) NOT NULL,
    description text NOT NULL,
    priority varchar(20) NOT NULL DEFAULT 'medium',
    status varchar(20) NOT NULL DEFAULT 'open',
    category varchar(50),
    assigned_to uuid REFERENCES public.users (id),
    assigned_group varchar(100),
    reassignment_count int NOT NULL DEFAULT 0,
    reopen_count int NOT NULL DEFAULT 0,
    note_count int NOT NULL DEFAULT 0,
    noted_at timestamptz,
    resolution text,
    opened_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    resolved_at timestamptz,
    closed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by uuid REFERENCES public.users (id),
    updated_by uuid REFERENCES public.users (id),
    CONSTRAINT chk_support_tickets_priority CHECK (priority IN ('low', 'medium', 'high', 'critical')),
    CONSTRAINT chk_support_tickets_status CHECK (status IN ('open', 'in_progress', 'awaiting_user', 'awaiting_vendor',
        'awaiting_problem', 'awaiting_evidence', 'resolved', 'closed')),
    CONSTRAINT chk_support_tickets_resolved_at CHECK (CASE status WHEN 'resolved' THEN resolved_at IS NOT NULL
        WHEN 'closed' THEN true ELSE resolved_at IS NULL END),
    CONSTRAINT chk_support_tickets_closed_at CHECK ((status = 'closed') = (closed_at IS NOT NULL)),
    CONSTRAINT chk_support_tickets_counts CHECK (reassignment_count >= 0 AND reopen_count >= 0 AND note_count >= 0)
);
CREATE INDEX idx_tickets_user_status ON public.support_tickets (user_id, status);
CREATE INDEX idx_tickets_assigned ON public.support_tickets (assigned_to, status);
CREATE INDEX idx_support_tickets_status ON public.support_tickets (status);
CREATE INDEX idx_support_tickets_assigned_group ON public.support_tickets (assigned_group);
CREATE INDEX idx_support_tickets_opened_at ON public.support_tickets (opened_at);
CREATE INDEX idx_support_tickets_created_by ON public.support_tickets (created_by);
CREATE INDEX idx_support_tickets_updated_by ON public.support_tickets (updated_by);

CREATE TRIGGER update_support_tickets_updated_at BEFORE UPDATE ON public.support_tickets FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.support_tickets TO daybook_projector;
GRANT SELECT ON public.support_tickets TO application_role, daybook_analyst, daybook_auditor;
