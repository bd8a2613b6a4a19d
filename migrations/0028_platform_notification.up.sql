-- What the platform tells its users. A dismissed notification keeps its row.
CREATE TABLE public.notifications (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    title varchar(255) NOT NULL,
    message text,
    kind varchar(20) NOT NULL DEFAULT 'info',
    link text,
    read_at timestamptz,
    dismissed_at timestamptz,
    is_read boolean GENERATED ALWAYS AS (read_at IS NOT NULL) STORED,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by uuid REFERENCES public.users (id),
    updated_by uuid REFERENCES public.users (id),
    CONSTRAINT chk_notifications_kind CHECK (kind IN ('info', 'success', 'warning', 'error'))
);
CREATE INDEX idx_notifications_user_id ON public.notifications (user_id);
CREATE INDEX idx_notifications_user_id_is_read ON public.notifications (user_id, is_read);
CREATE INDEX idx_notifications_created_at ON public.notifications (created_at DESC);
CREATE INDEX idx_notifications_created_by ON public.notifications (created_by);
CREATE INDEX idx_notifications_updated_by ON public.notifications (updated_by);

CREATE TRIGGER update_notifications_updated_at BEFORE UPDATE ON public.notifications FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.notifications TO daybook_projector;
GRANT SELECT ON public.notifications TO application_role, daybook_analyst, daybook_auditor;
