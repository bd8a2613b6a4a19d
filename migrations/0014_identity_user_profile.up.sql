-- What users say of themselves: a row from the first time that one does, under the user's own id.
CREATE TABLE public.user_profiles (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES public.users (id),
    bio text,
    avatar_url varchar(500),
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT chk_user_profiles_avatar_url CHECK (avatar_url ~ '^https?://[^[:space:]]+$')
);
CREATE INDEX idx_user_profiles_user_id ON public.user_profiles (user_id);

CREATE TRIGGER update_user_profiles_updated_at BEFORE UPDATE ON public.user_profiles FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.user_profiles TO daybook_projector;
GRANT SELECT ON public.user_profiles TO application_role, daybook_analyst, daybook_auditor;
