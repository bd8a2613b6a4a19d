CALL projector.unwatch('user_profiles');
CALL projector.take_from_policies('user_profiles');
