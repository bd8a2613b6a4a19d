DROP FUNCTION projector.authenticate(text);
DROP INDEX public.idx_api_keys_secret_hash;
