SELECT a.id, a.created_at, a.position, a.user_id, a.action::text, a.entity_type::text, a.entity_id, a.old_values::text,
    a.new_values::text, a.ip_address, a.event_type, a.stream_id, a.version, a.correlation_id, a.session_id,
    a.user_agent, e.tenant_id, e.command_id
