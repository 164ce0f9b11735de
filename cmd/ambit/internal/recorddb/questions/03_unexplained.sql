INSERT INTO parameter VALUES ('unexplained', 0, 'percent', 'unexplained: the share of acts without a complete rationale that is no exception');
INSERT INTO question VALUES (3, 'unexplained', 'What share of the acts of each class has no complete rationale?', 'unexplained', 0);

-- Where no rationale was checked, the class asks for none: such acts are counted apart.
CREATE VIEW q_unexplained AS
SELECT CASE WHEN 100 * unexplained > acts * (SELECT value FROM parameter WHERE name = 'unexplained') THEN 'exception' ELSE 'note' END AS finding,
  authorization, class, acts, unexplained, unasked, last,
  unexplained || ' of ' || acts || ' acts of class ' || coalesce(class, '(none)') || ' of ' || coalesce(authorization, '(nobody)')
    || ' have no complete rationale' || coalesce('; the last of them is ' || last, '')
    || CASE WHEN unasked > 0 THEN '; ' || unasked || ' were asked for none' ELSE '' END AS sentence
FROM (
  SELECT authorization, class, count(*) AS acts, sum(rationale_complete IS 0) AS unexplained, sum(rationale_complete IS NULL) AS unasked,
    max(CASE WHEN rationale_complete IS 0 THEN id END) AS last
  FROM act WHERE ran GROUP BY authorization, class)
ORDER BY authorization, class;
