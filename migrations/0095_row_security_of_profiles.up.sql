-- Policies and watchers for what users say of themselves: seen by whom the user is seen by.
CALL projector.put_under_policies('user_profiles', 'user_id = ANY (ARRAY(SELECT projector.seen_users()))');
CALL projector.watch('user_profiles', 'id', '{id}');
