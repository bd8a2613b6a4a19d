-- What is said to posts. written_at is when it was said in the world, created_at when the log took it.
CREATE TABLE public.comments (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    post_id uuid NOT NULL REFERENCES public.posts (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    content text NOT NULL,
    written_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    deleted_at timestamptz,
    deleted_reason text,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by uuid REFERENCES public.users (id),
    updated_by uuid REFERENCES public.users (id),
    CONSTRAINT chk_comments_content CHECK (content <> '')
);
CREATE INDEX idx_comments_post_id ON public.comments (post_id);
CREATE INDEX idx_comments_user_id ON public.comments (user_id);
CREATE INDEX idx_comments_written_at ON public.comments (written_at);
CREATE INDEX idx_comments_created_by ON public.comments (created_by);
CREATE INDEX idx_comments_updated_by ON public.comments (updated_by);

CREATE TRIGGER update_comments_updated_at BEFORE UPDATE ON public.comments FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.comments TO daybook_projector;
GRANT SELECT ON public.comments TO application_role, daybook_analyst, daybook_auditor;
