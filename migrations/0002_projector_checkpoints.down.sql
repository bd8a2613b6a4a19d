DROP FUNCTION public.update_updated_at();
DROP FUNCTION public.update_updated_at_column();
DROP SCHEMA projector CASCADE;
