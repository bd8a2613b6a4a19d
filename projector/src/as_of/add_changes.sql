INSERT INTO {schema}.changes (table_name, key, became, before, after, position, recorded_at, event_type, actor_id, tenant_id)
SELECT r ->> 'table', r -> 'key', r ->> 'became', NULLIF(r -> 'before', 'null'), NULLIF(r -> 'after', 'null'),
    (r #>> '{by,position}')::bigint, (r #>> '{by,recorded_at}')::timestamptz, r #>> '{by,event_type}',
    (r #>> '{by,actor_id}')::uuid, (r #>> '{by,tenant_id}')::uuid
FROM jsonb_array_elements($1::jsonb) AS e (r)
