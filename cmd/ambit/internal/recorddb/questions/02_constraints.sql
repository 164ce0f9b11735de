INSERT INTO question VALUES (2, 'constraints', 'Which constraints were in scope of each decision, and how did each come out?', '', 1);

CREATE VIEW q_constraints AS
SELECT CASE WHEN problem IS NULL THEN 'note' ELSE 'exception' END AS finding,
  decision, at, verdict, tool, kind, check_id, result, reason, why, message, problem,
  tool || ' at ' || substr(at, 1, 19) || 'Z (' || decision || ', ' || verdict || '): '
    || coalesce(kind || ' ' || check_id || ' came out as ' || result || coalesce(' (' || why || ')', ''), 'no constraint is recorded')
    || coalesce(': ' || problem, '') AS sentence
FROM (
  SELECT d.id AS decision, d.at, d.verdict, d.tool, c.position, c.kind, c.check_id, c.result, c.reason, c.why, c.message,
    CASE WHEN d.verdict <> 'allow' OR d.mode = 'observe' THEN NULL
         WHEN c.kind IS NULL THEN 'the call was let through without one'
         WHEN c.result NOT IN ('pass', 'raised') THEN 'the call was let through all the same'
         WHEN r.rank > coalesce(t.rank, 0) THEN 'it asked for ' || c.raised_to || ', and the call ran as ' || d.tier END AS problem
  FROM decision d LEFT JOIN decision_check c ON c.decision = d.id
  LEFT JOIN tier r ON r.name = c.raised_to LEFT JOIN tier t ON t.name = d.tier
  WHERE d.at >= (SELECT value FROM parameter WHERE name = 'since'))
ORDER BY at, decision, position;
