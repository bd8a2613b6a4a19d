ALTER POLICY comments_policy ON public.comments
    USING (user_id = (SELECT projector.current_user_id())
           OR EXISTS (SELECT FROM public.posts p WHERE p.id = post_id));
