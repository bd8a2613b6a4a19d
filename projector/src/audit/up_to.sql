  AND (a.position <= $12 OR a.position IS NULL)
  AND a.created_at <= $13
