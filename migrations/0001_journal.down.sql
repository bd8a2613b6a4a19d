-- Throws the whole log away.
DROP SCHEMA journal CASCADE;
DROP EXTENSION IF EXISTS "uuid-ossp";
DROP EXTENSION IF EXISTS pgcrypto;
