INSERT INTO question VALUES (5, 'duties', 'Where did one person do what takes two: own and grant, ask and approve, approve and review?', '', 0);

CREATE VIEW q_duties AS
SELECT 'exception' AS finding, duty, subject, at, by, role, by || ' ' || says || ' ' || subject || ', and ' || role AS sentence
FROM (
  SELECT 'grant' AS duty, a.id || ' version ' || a.version AS subject, a.granted_at AS at, g.by, 'granted' AS says, 'is its owner' AS role
  FROM authorization a JOIN grantor g ON g.authorization_digest = a.digest
  JOIN person p ON p.id = g.by JOIN person o ON o.id = a.owner WHERE p.same = o.same
  UNION ALL
  SELECT 'approval', p.ticket, p.at, p.by, 'approved',
    CASE w.same WHEN o.same THEN 'owns the authorization' WHEN b.same THEN 'asked for it' ELSE 'is the agent itself' END
  FROM approval p LEFT JOIN decision d ON d.record = (SELECT min(record) FROM decision WHERE id = p.ticket)
  JOIN person w ON w.id = p.by LEFT JOIN person o ON o.id = coalesce(d.owner, p.owner)
  LEFT JOIN person b ON b.id = coalesce(d.on_behalf_of, p.on_behalf_of) LEFT JOIN person g ON g.id = p.agent
  WHERE p.answer = 'approve' AND (w.same = o.same OR w.same = b.same OR w.same = g.same)
  UNION ALL
  SELECT 'review', r.decision, r.at, r.by, 'reviewed',
    CASE WHEN w.same = o.same THEN 'owns the authorization' WHEN w.same = b.same THEN 'asked for it'
         WHEN w.same = g.same THEN 'is the agent itself' ELSE 'approved it before' END
  FROM review r LEFT JOIN decision d ON d.record = (SELECT min(record) FROM decision WHERE id = r.decision)
  JOIN person w ON w.id = r.by LEFT JOIN person o ON o.id = coalesce(d.owner, r.owner)
  LEFT JOIN person b ON b.id = coalesce(d.on_behalf_of, r.on_behalf_of) LEFT JOIN person g ON g.id = r.agent
  WHERE w.same = o.same OR w.same = b.same OR w.same = g.same
    OR EXISTS (SELECT 1 FROM approval p JOIN person q ON q.id = p.by WHERE p.ticket = d.parent AND p.answer = 'approve' AND q.same = w.same))
ORDER BY at, duty, subject;
