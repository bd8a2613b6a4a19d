-- The roles, and what the migrator needs on this database. Run by an administrator (a superuser, or
-- the database's owner with CREATEROLE) before migrations; running it again changes nothing.
--
-- Advisory locks are a database's own while roles are the whole server's, so two databases may be
-- prepared at once: what another one made first is taken as made.
DO $bootstrap$
DECLARE
    wanted record;
    is_super CONSTANT boolean := (SELECT rolsuper FROM pg_roles WHERE rolname = current_user);
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('daybook.bootstrap', 0));

    FOR wanted IN
        SELECT * FROM (VALUES
            -- Owns every schema and table; migrations run as it.
            ('daybook_migrator', 'NOLOGIN'),
            -- Owns the log's definer functions and no table.
            ('daybook_log_owner', 'NOLOGIN'),
            -- Appends.
            ('daybook_writer', 'NOLOGIN'),
            -- Posts.
            ('daybook_projector', 'NOLOGIN'),
            -- Makes partitions, and takes away what is past its time.
            ('daybook_maintenance', 'NOLOGIN'),
            -- Reads under policies.
            ('application_role', 'NOLOGIN'),
            -- Reads everything but secrets; the auditor reads the log as well.
            ('daybook_analyst', 'NOLOGIN'),
            ('daybook_auditor', 'NOLOGIN'),
            -- The only one who logs in: has no right of its own, and takes on the roles it works in.
            ('daybook_service', 'LOGIN NOINHERIT')
        ) AS roles (name, attributes)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I %s', wanted.name, wanted.attributes);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;
            END;
        END IF;
    END LOOP;

    FOR wanted IN
        SELECT * FROM (VALUES
            -- Gives functions to their owner, and may replace them afterwards.
            ('daybook_log_owner', 'daybook_migrator'::name),
            ('daybook_analyst', 'daybook_auditor'),
            ('daybook_writer', 'daybook_service'),
            ('daybook_projector', 'daybook_service'),
            ('daybook_maintenance', 'daybook_service'),
            ('application_role', 'daybook_service'),
            -- Taken on for a transaction on behalf of those who may read everything.
            ('daybook_analyst', 'daybook_service'),
            ('daybook_auditor', 'daybook_service'),
            -- So that whoever runs this may run migrations. A superuser may anyway.
            ('daybook_migrator', current_user)
        ) AS members (role, member)
        WHERE NOT (is_super AND member = current_user)
    LOOP
        IF NOT EXISTS (
            SELECT FROM pg_auth_members m
            JOIN pg_roles r ON r.oid = m.roleid
            JOIN pg_roles u ON u.oid = m.member
            WHERE r.rolname = wanted.role AND u.rolname = wanted.member
              -- From 16 on the maker of a role is a member who may give it away, but not take it on.
              AND COALESCE((to_jsonb(m) ->> 'set_option')::boolean, true)
        ) THEN
            BEGIN
                EXECUTE format('GRANT %I TO %I', wanted.role, wanted.member);
            EXCEPTION WHEN unique_violation THEN
                NULL;
            END;
        END IF;
    END LOOP;

    IF NOT has_database_privilege('daybook_migrator', current_database(), 'CREATE')
        OR NOT has_database_privilege('daybook_migrator', current_database(), 'CONNECT')
    THEN
        EXECUTE format('GRANT CONNECT, CREATE, TEMPORARY ON DATABASE %I TO daybook_migrator', current_database());
    END IF;
    IF NOT has_database_privilege('daybook_service', current_database(), 'CONNECT') THEN
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO daybook_service', current_database());
    END IF;

    -- A rebuilt read model takes the live one's place by moving tables between schemas: the migrator owns this one too.
    IF (SELECT nspowner <> 'daybook_migrator'::regrole FROM pg_namespace WHERE nspname = 'public') THEN
        ALTER SCHEMA public OWNER TO daybook_migrator;
        REVOKE CREATE ON SCHEMA public FROM PUBLIC;
        GRANT USAGE ON SCHEMA public TO PUBLIC;
    END IF;

    -- Nobody may call a function that was not granted to them.
    ALTER DEFAULT PRIVILEGES FOR ROLE daybook_migrator REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
END
$bootstrap$;
