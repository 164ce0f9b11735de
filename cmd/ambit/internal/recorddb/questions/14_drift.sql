INSERT INTO parameter VALUES
  ('drift', 50, 'percent', 'drift: by how much volume or spend may differ from before the review'),
  ('mix', 20, 'percent', 'drift: by how many points the share of a tier may differ from before the review'),
  ('least', 10, 'count', 'drift: how many acts on both sides together say something');
INSERT INTO question VALUES (14, 'drift', 'How do volume, spend and tiers of each class differ from before the last review of its authorization?', 'drift, mix, least', 0);

-- The last time that people granted or reaffirmed each authorization.
CREATE VIEW last_look AS
SELECT authorization, max(at) AS at FROM (
  SELECT id AS authorization, granted_at AS at FROM authorization
  UNION ALL SELECT authorization, from_at FROM document WHERE kind = 'Reaffirmation')
WHERE at <= (SELECT value FROM parameter WHERE name = 'now') GROUP BY authorization;

-- The acts of each class in two stretches of equal length: the last before the
-- review, and the last before now. Each is as long as there are acts before the review, and time since.
CREATE VIEW drift AS
WITH ends AS (
  SELECT k.authorization, k.at AS review, (SELECT value FROM parameter WHERE name = 'now') AS now, min(a.at) AS first
  FROM last_look k JOIN act a ON a.authorization = k.authorization GROUP BY k.authorization),
spans AS (
  SELECT *, min(unixepoch(substr(now, 1, 19)) - unixepoch(substr(review, 1, 19)),
                unixepoch(substr(review, 1, 19)) - unixepoch(substr(first, 1, 19))) AS seconds FROM ends WHERE first < review),
stretches AS (
  SELECT *, strftime('%Y-%m-%dT%H:%M:%S', unixepoch(substr(review, 1, 19)) - seconds, 'unixepoch') AS before_from,
    strftime('%Y-%m-%dT%H:%M:%S', unixepoch(substr(now, 1, 19)) - seconds, 'unixepoch') AS after_from FROM spans),
counted AS (
  SELECT a.*, s.review, s.seconds, CASE WHEN a.at < s.review THEN a.at >= s.before_from END AS before, CASE WHEN a.at >= s.review THEN a.at >= s.after_from AND a.at <= s.now END AS after
  FROM act a JOIN stretches s ON s.authorization = a.authorization WHERE a.status <> 'not_executed')
SELECT authorization, class, review, seconds, coalesce(sum(before), 0) AS acts_before, coalesce(sum(after), 0) AS acts_after, spend_currency AS currency,
  coalesce(sum(CASE WHEN before THEN spent_whole END), 0) + coalesce(sum(CASE WHEN before THEN spent_nano END), 0) / 1000000000 AS spent_before,
  coalesce(sum(CASE WHEN after THEN spent_whole END), 0) + coalesce(sum(CASE WHEN after THEN spent_nano END), 0) / 1000000000 AS spent_after,
  coalesce(sum(before AND tier = 'parameterized'), 0) AS alone_before, coalesce(sum(after AND tier = 'parameterized'), 0) AS alone_after,
  coalesce(sum(before AND tier = 'bounded_escalation'), 0) AS reviewed_before, coalesce(sum(after AND tier = 'bounded_escalation'), 0) AS reviewed_after,
  coalesce(sum(before AND tier = 'authorization_required'), 0) AS approved_before, coalesce(sum(after AND tier = 'authorization_required'), 0) AS approved_after
FROM counted GROUP BY authorization, class, spend_currency;

CREATE VIEW q_drift AS
SELECT CASE WHEN volume OR spend OR tiers THEN 'exception' ELSE 'note' END AS finding,
  authorization, class, review, days, acts_before, acts_after, currency, spent_before, spent_after,
  alone_before, alone_after, reviewed_before, reviewed_after, approved_before, approved_after,
  'class ' || coalesce(class, '(none)') || ' of ' || authorization || ', in ' || days || ' days before its review at ' || substr(review, 1, 10)
    || ' and in as many before now: ' || acts_before || ' and ' || acts_after || ' acts' || CASE WHEN volume THEN ' (!)' ELSE '' END
    || coalesce(', ' || spent_before || ' and ' || spent_after || ' ' || currency || CASE WHEN spend THEN ' (!)' ELSE '' END, '')
    || ', of which alone ' || alone_before || ' and ' || alone_after || ', reviewed ' || reviewed_before || ' and ' || reviewed_after
    || ', approved ' || approved_before || ' and ' || approved_after || CASE WHEN tiers THEN ' (!)' ELSE '' END AS sentence
FROM (
  SELECT *, seconds / 86400 AS days,
    enough AND 100 * abs(acts_after - acts_before) > drift * acts_before AS volume,
    enough AND 100 * abs(spent_after - spent_before) > drift * spent_before AS spend,
    enough AND acts_before > 0 AND acts_after > 0 AND 100 * max(
      abs(alone_after * acts_before - alone_before * acts_after), abs(reviewed_after * acts_before - reviewed_before * acts_after),
      abs(approved_after * acts_before - approved_before * acts_after)) > mix * acts_before * acts_after AS tiers
  FROM (SELECT d.*, p.value AS drift, m.value AS mix, acts_before + acts_after >= l.value AS enough
        FROM drift d, parameter p, parameter m, parameter l WHERE p.name = 'drift' AND m.name = 'mix' AND l.name = 'least'))
ORDER BY authorization, class, currency;
