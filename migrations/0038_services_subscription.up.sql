-- Who has what of a service, and until when. One active subscription for a user and a service: a
-- unique partial index that waits for the end of the transaction (which an exclusion constraint of
-- equality is, and CREATE UNIQUE INDEX cannot be), since a batch of events may end one and begin the
-- next.
CREATE TABLE public.service_subscriptions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    service_id uuid NOT NULL REFERENCES public.services (id) ON DELETE CASCADE,
    plan varchar(50) NOT NULL,
    status varchar(20) NOT NULL DEFAULT 'active',
    started_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    expires_at timestamptz,
    ended_at timestamptz,
    cancelled_reason text,
    configuration jsonb,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_by uuid REFERENCES public.users (id),
    updated_by uuid REFERENCES public.users (id),
    CONSTRAINT fk_subscription_user FOREIGN KEY (user_id) REFERENCES public.users (id) ON DELETE CASCADE,
    CONSTRAINT chk_service_subscriptions_status CHECK (status IN ('active', 'cancelled', 'expired')),
    CONSTRAINT chk_service_subscriptions_ended CHECK ((status = 'active') = (ended_at IS NULL)),
    CONSTRAINT chk_service_subscriptions_configuration CHECK (jsonb_typeof(configuration) = 'object'),
    CONSTRAINT service_subscriptions_one_active EXCLUDE USING btree (user_id WITH =, service_id WITH =)
        WHERE (status = 'active') DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX idx_subscriptions_user_service ON public.service_subscriptions (user_id, service_id);
CREATE INDEX idx_subscriptions_status ON public.service_subscriptions (status);
CREATE INDEX idx_service_subscriptions_service_id ON public.service_subscriptions (service_id);
CREATE INDEX idx_service_subscriptions_expires_at ON public.service_subscriptions (expires_at);
CREATE INDEX idx_service_subscriptions_started_at ON public.service_subscriptions (started_at);
CREATE INDEX idx_service_subscriptions_created_by ON public.service_subscriptions (created_by);
CREATE INDEX idx_service_subscriptions_updated_by ON public.service_subscriptions (updated_by);

CREATE TRIGGER update_service_subscriptions_updated_at BEFORE UPDATE ON public.service_subscriptions FOR EACH ROW
    WHEN (current_user NOT IN ('daybook_projector', 'daybook_migrator'))
    EXECUTE FUNCTION public.update_updated_at_column();

GRANT SELECT, INSERT, UPDATE, DELETE ON public.service_subscriptions TO daybook_projector;
GRANT SELECT ON public.service_subscriptions TO application_role, daybook_analyst, daybook_auditor;
