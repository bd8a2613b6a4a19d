-- What was said and taken back is for who said it: whoever sees the post saw it still.
ALTER POLICY comments_policy ON public.comments
    USING (user_id = (SELECT projector.current_user_id())
           OR (deleted_at IS NULL AND EXISTS (SELECT FROM public.posts p WHERE p.id = post_id)));
