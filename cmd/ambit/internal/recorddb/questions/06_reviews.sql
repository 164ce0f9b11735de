INSERT INTO question VALUES (6, 'reviews', 'Which acts wait for their review past its date, or were never put up for one?', '', 1);

CREATE VIEW q_reviews AS
SELECT CASE WHEN opened AND (reviewed_at IS NOT NULL OR due >= now) THEN 'note' ELSE 'exception' END AS finding,
  decision, at, tool, authorization, class, reason, due, reviewed_at, reviewer, result,
  tool || ' at ' || substr(at, 1, 19) || 'Z (' || decision || ') '
    || CASE WHEN NOT opened THEN 'acted as bounded_escalation, and no review was opened'
            WHEN reviewed_at > due THEN 'was reviewed late, by ' || reviewer || ' at ' || substr(reviewed_at, 1, 19) || 'Z: ' || result
            WHEN reviewed_at IS NOT NULL THEN 'was reviewed by ' || reviewer || ': ' || result
            WHEN due < now THEN 'is not reviewed, which was due at ' || substr(due, 1, 19) || 'Z'
            ELSE 'waits for its review, due at ' || substr(due, 1, 19) || 'Z' END AS sentence
FROM (
  SELECT a.id AS decision, a.at, a.tool, a.authorization, a.class, a.review_reason AS reason, a.review_due AS due,
    a.review_due IS NOT NULL AS opened, r.at AS reviewed_at, r.by AS reviewer, r.finding AS result,
    (SELECT value FROM parameter WHERE name = 'now') AS now
  FROM act a LEFT JOIN review r ON r.record = (SELECT min(record) FROM review WHERE decision = a.id)
  WHERE a.mode = 'enforce' AND a.ran AND (a.review_due IS NOT NULL OR a.tier = 'bounded_escalation'))
ORDER BY due, decision;
