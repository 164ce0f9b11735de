-- What the questions share.

INSERT INTO parameter VALUES
  ('now', NULL, 'time', 'as of when the questions are asked'),
  ('since', '0000-01-01T00:00:00.000000000Z', 'time', 'acts before this are left out');

-- An act is a call that was let through, with what came of it: a settlement before an
-- outcome before nothing (open); but no person's word that it did not run before an outcome that says how it did.
-- Ran is 0 where its outcome says that it did not: what only a person settled so is still asked about. What it spent is exact in two whole numbers, of which
-- the second counts billionths; NULL in both: it had no price, or one that is not exact in them.
CREATE VIEW act AS
SELECT d.*, o.started, o.at AS ended, coalesce(s.status, o.status, 'open') AS status, coalesce(o.status, 'open') <> 'not_executed' AS ran,
  CASE WHEN coalesce(s.status, o.status) = 'not_executed' THEN '0' ELSE coalesce(s.spent, o.spent, d.spend_amount) END AS spent,
  CASE WHEN coalesce(s.status, o.status) = 'not_executed' THEN 0
       WHEN s.spent IS NOT NULL THEN s.spent_whole WHEN o.spent IS NOT NULL THEN o.spent_whole ELSE d.spend_whole END AS spent_whole,
  CASE WHEN coalesce(s.status, o.status) = 'not_executed' THEN 0
       WHEN s.spent IS NOT NULL THEN s.spent_nano WHEN o.spent IS NOT NULL THEN o.spent_nano ELSE d.spend_nano END AS spent_nano,
  -- Why the authorization was not in force at that instant, by the record itself; NULL: it was.
  CASE WHEN d.standing <> 'active' THEN 'its standing was ' || d.standing
       WHEN d.at < d.granted_at THEN 'it was granted only at ' || substr(d.granted_at, 1, 19) || 'Z'
       WHEN d.at >= d.expires THEN 'it had expired at ' || substr(d.expires, 1, 19) || 'Z'
       WHEN d.at >= d.next_review THEN 'its review had been due at ' || substr(d.next_review, 1, 19) || 'Z' END AS lapse,
  -- A lapsed review or pin lets a class recommend, where its document says so: people then approve each call.
  d.standing IN ('review_lapsed', 'pin_mismatch') AND d.tier = 'authorization_required' AND d.approval IS NOT NULL AS recommended
FROM decision d
LEFT JOIN outcome o ON o.record = (SELECT min(record) FROM outcome WHERE decision = d.id)
LEFT JOIN settlement s ON s.record = (SELECT min(record) FROM settlement WHERE decision = d.id)
  AND (s.status <> 'not_executed' OR coalesce(o.status, 'unknown') = 'unknown')
WHERE d.verdict = 'allow' AND d.at >= (SELECT value FROM parameter WHERE name = 'since');

-- A halt is a revocation or a suspension: what it stops, from when it was meant to
-- hold, since when the host knew of it, and until when it held (NULL: it holds).
-- A Suspension that a process did not load again ended when that process opened its journal.
CREATE VIEW halt AS
SELECT l.record, l.event, l.at AS from_at, l.at AS known_at, l.by, l.message,
  l.suspends_everything = 1 AS everything, l.suspends_agent AS agent, l.suspends_authorization AS authorization, l.suspends_class AS class,
  (SELECT min(r.at) FROM lifecycle r WHERE r.event = 'resumed' AND r.record > l.record
     AND r.suspends_everything IS l.suspends_everything AND r.suspends_agent IS l.suspends_agent
     AND r.suspends_authorization IS l.suspends_authorization AND r.suspends_class IS l.suspends_class) AS until_at
FROM lifecycle l WHERE l.event = 'suspended' AND l.suspends_everything IS NOT NULL
UNION ALL
SELECT min(l.record), l.event, coalesce(d.from_at, min(l.at)), max(coalesce(d.from_at, min(l.at)), min(l.at)), d.name, l.message,
  coalesce(d.authorization = '*' OR d.agent = '*', 0), d.agent, d.authorization, NULL, NULL
FROM lifecycle l JOIN document d ON d.digest = l.bytes_digest WHERE l.event = 'revoked' GROUP BY d.digest
UNION ALL
SELECT l.record, l.event, coalesce(d.from_at, l.at), max(coalesce(d.from_at, l.at), l.at), d.name, l.message,
  coalesce(d.authorization = '*' OR d.agent = '*', 0), d.agent, d.authorization, NULL,
  nullif(min(coalesce(d.until_at, '9999'), coalesce(
    (SELECT min(e.at) FROM lifecycle e JOIN record er ON er.n = e.record
     WHERE e.record > l.record AND er.journal = lr.journal
       AND (e.event = 'opened' OR e.event = 'unloaded' AND e.document IS l.document)), '9999')), '9999')
FROM lifecycle l JOIN record lr ON lr.n = l.record JOIN document d ON d.digest = l.bytes_digest WHERE l.event = 'suspended';
