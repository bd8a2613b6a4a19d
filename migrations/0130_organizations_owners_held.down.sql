DELETE FROM journal.holds h USING journal.streams holder, journal.streams target
WHERE holder.stream_id = h.holder AND holder.kind = 'organizations.organization'
  AND target.stream_id = h.target AND target.kind = 'identity.user';
