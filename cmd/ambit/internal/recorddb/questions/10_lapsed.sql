INSERT INTO question VALUES (10, 'lapsed', 'What was let through while its authorization was not in force, revoked or suspended?', '', 0);

CREATE VIEW q_lapsed AS
WITH halts AS MATERIALIZED (SELECT * FROM halt)
SELECT CASE WHEN halted IS NULL AND (recommended OR mode = 'observe') THEN 'note' ELSE 'exception' END AS finding,
  decision, at, tool, authorization, class, standing, mode, halted,
  tool || ' at ' || substr(at, 1, 19) || 'Z (' || decision || ') was let through, though '
    || CASE WHEN halted IS NOT NULL THEN 'it was ' || halted WHEN authorization IS NULL THEN 'nobody authorized it' ELSE lapse END
    || CASE WHEN mode = 'observe' THEN ' (observed)' WHEN recommended THEN ' (people approved this call)' ELSE '' END AS sentence
FROM (
  SELECT a.id AS decision, a.at, a.tool, a.authorization, a.class, a.standing, a.mode, a.recommended,
    CASE WHEN a.authorization IS NULL THEN 'nobody' ELSE a.lapse END AS lapse,
    (SELECT h.event || ' by ' || coalesce(h.by, 'a document') || ' at ' || substr(h.known_at, 1, 19) || 'Z' FROM halts h
     WHERE (h.everything OR h.agent = a.agent OR h.authorization = a.authorization AND (h.class IS NULL OR h.class = a.class))
       AND a.at > h.known_at AND (h.until_at IS NULL OR a.at < h.until_at) ORDER BY h.known_at LIMIT 1) AS halted
  FROM act a)
WHERE lapse IS NOT NULL OR halted IS NOT NULL
ORDER BY at, decision;
