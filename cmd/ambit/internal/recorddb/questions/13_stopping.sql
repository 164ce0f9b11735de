INSERT INTO parameter VALUES ('stop', 60000000000, 'duration', 'stopping: how long after a revocation or suspension the last act may begin');
INSERT INTO question VALUES (13, 'stopping', 'What was the last act after each revocation and suspension, and how long did stopping take?', 'stop', 0);

CREATE VIEW q_stopping AS
WITH halts AS MATERIALIZED (SELECT * FROM halt),
halted AS MATERIALIZED (
  SELECT h.record AS halt, a.record, a.id, a.started, a.at > h.known_at AS known, h.until_at IS NOT NULL AND a.at >= h.until_at AS ended
  FROM halts h JOIN act a
  ON (h.everything OR h.agent = a.agent OR h.authorization = a.authorization AND (h.class IS NULL OR h.class = a.class))
    AND (a.started >= h.from_at OR a.at > h.known_at) AND a.ran)
SELECT CASE WHEN allowed_after > 0 OR latency_ms > allowed_ms THEN 'exception' ELSE 'note' END AS finding,
  event, by, what, from_at, known_at, last_started, last_act, latency_ms, allowed_after, last_after,
  what || ' was ' || event || coalesce(' by ' || by, '') || ' at ' || substr(from_at, 1, 19) || 'Z; '
    || CASE WHEN latency_ms IS NULL THEN 'nothing ran on'
            ELSE 'the last act began ' || printf('%d.%03d', latency_ms / 1000, latency_ms % 1000) || ' s later (' || last_act || ')' END
    || CASE WHEN allowed_after > 0 THEN ', and ' || allowed_after || ' more '
         || CASE allowed_after WHEN 1 THEN 'was' ELSE 'were' END || ' let through while the host knew, last ' || last_after ELSE '' END AS sentence
FROM (
  SELECT h.event, h.by, h.from_at, h.known_at, l.started AS last_started, l.id AS last_act,
    CASE WHEN h.everything THEN 'everything' WHEN h.class IS NOT NULL THEN 'class ' || h.class || ' of ' || h.authorization
         WHEN h.authorization IS NOT NULL THEN h.authorization ELSE coalesce('agent ' || h.agent, 'something unreadable') END AS what,
    ((unixepoch(substr(l.started, 1, 19)) - unixepoch(substr(h.from_at, 1, 19))) * 1000000000
      + substr(l.started, 21, 9) - substr(h.from_at, 21, 9)) / 1000000 AS latency_ms,
    (SELECT value FROM parameter WHERE name = 'stop') / 1000000 AS allowed_ms,
    (SELECT count(*) FROM halted a WHERE a.halt = h.record AND a.known AND NOT a.ended) AS allowed_after,
    (SELECT max(a.id) FROM halted a WHERE a.halt = h.record AND a.known AND NOT a.ended) AS last_after
  FROM halts h LEFT JOIN halted l ON l.halt = h.record AND l.record = (
    SELECT a.record FROM halted a WHERE a.halt = h.record AND NOT a.known ORDER BY a.started DESC LIMIT 1))
ORDER BY from_at, what;
