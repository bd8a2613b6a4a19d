-- An organization holds its owners while it is not deleted, so that the last one is not deleted from
-- under it. New events take the holds as they are appended; those that own one already are held here,
-- as the log has it.
INSERT INTO journal.holds (target, holder)
SELECT now_is.user_id, now_is.stream_id
FROM (
    SELECT DISTINCT ON (said.stream_id, said.user_id) said.stream_id, said.user_id, said.role
    FROM (
        SELECT e.stream_id, e.version, COALESCE(e.data ->> 'owner_id', e.data ->> 'user_id')::uuid AS user_id,
               CASE e.event_type
                   WHEN 'organizations.organization.created' THEN 'owner'
                   WHEN 'organizations.organization.member_added' THEN e.data ->> 'role'
                   WHEN 'organizations.organization.member_role_changed' THEN e.data ->> 'to'
               END AS role
        FROM journal.events e
        WHERE e.event_type IN ('organizations.organization.created', 'organizations.organization.member_added',
            'organizations.organization.member_role_changed', 'organizations.organization.member_removed')
    ) said
    ORDER BY said.stream_id, said.user_id, said.version DESC
) now_is
JOIN journal.streams s ON s.stream_id = now_is.stream_id
WHERE now_is.role = 'owner' AND s.closed_at IS NULL
ON CONFLICT (target, holder) DO NOTHING;
