INSERT INTO parameter VALUES ('unexplained', 0, 'percent', 'unexplained: the share of acts without a complete rationale that is no exception');
INSERT INTO question VALUES (3, 'unexplained', 'What share of the acts of each class has no complete rationale?', 'unexplained', 0);

CREATE VIEW q_unexplained AS
SELECT CASE WHEN 100 * unexplained > acts * (SELECT value FROM parameter WHERE name = 'unexplained') THEN 'exception' ELSE 'note' END AS finding,
  authorization, class, acts, unexplained, last,
  unexplained || ' of ' || acts || ' acts of class ' || coalesce(class, '(none)') || ' of ' || coalesce(authorization, '(nobody)')
    || ' have no complete rationale' || coalesce('; the last of them is ' || last, '') AS sentence
FROM (
  SELECT authorization, class, count(*) AS acts, sum(NOT explained) AS unexplained, max(CASE WHEN NOT explained THEN id END) AS last
  FROM (SELECT authorization, class, id, coalesce(rationale_complete, effect IS 'read') AS explained FROM act WHERE status <> 'not_executed')
  GROUP BY authorization, class)
ORDER BY authorization, class;
