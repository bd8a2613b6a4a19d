-- What people write. A post is there to be read while it is published and not deleted; published_at
-- is when it first was, and is kept.
CREATE TABLE public.posts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    title varchar(255) NOT NULL,
    content text NOT NULL,
    status varchar(20) NOT NULL DEFAULT 'draft',
    published_at timestamptz,
    deleted_at timestamptz,
    deleted_reason text,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by uuid REFERENCES public.users (id),
    updated_by uuid REFERENCES public.users (id),
    CONSTRAINT chk_posts_status CHECK (status IN ('draft', 'published', 'archived')),
    CONSTRAINT chk_posts_published CHECK (status <> 'published' OR published_at IS NOT NULL AND content <> '')
);
CREATE INDEX idx_posts_user_id ON public.posts (user_id);
CREATE INDEX idx_posts_status ON public.posts (status);
CREATE INDEX idx_posts_published_at ON public.posts (published_at DESC);
CREATE INDEX idx_posts_created_at ON public.posts (created_at DESC);
CREATE INDEX idx_posts_created_by ON public.posts (created_by);
CREATE INDEX idx_posts_updated_by ON public.posts (updated_by);

CREATE TRIGGER update_posts_updated_at BEFORE UPDATE ON public.posts FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.posts TO daybook_projector;
GRANT SELECT ON public.posts TO application_role, daybook_analyst, daybook_auditor;
