INSERT INTO question VALUES (4, 'approvals', 'Which acts that people had to approve ran without a valid approval of exactly that action?', '', 1);

-- Approvals by people whom the ticket does not name.
CREATE VIEW stranger AS
SELECT p.ticket, p.by, p.at FROM approval p JOIN decision t ON t.record = (SELECT min(record) FROM decision WHERE id = p.ticket)
WHERE p.answer = 'approve' AND NOT EXISTS (
  SELECT 1 FROM json_each(t.ticket_by) b LEFT JOIN person q ON q.id = b.value
  WHERE b.value IN (SELECT 'group:' || value FROM json_each(p.groups)) OR q.same = (SELECT same FROM person WHERE id = p.by));

CREATE VIEW q_approvals AS
SELECT CASE WHEN problem IS NULL THEN 'note' ELSE 'exception' END AS finding,
  decision, at, tool, authorization, class, approval, approver, approved_at, problem,
  tool || ' at ' || substr(at, 1, 19) || 'Z (' || decision || ') had to be approved, and '
    || coalesce(problem, 'was, by ' || approver || ' at ' || substr(approved_at, 1, 19) || 'Z') AS sentence
FROM (
  SELECT a.id AS decision, a.at, a.tool, a.authorization, a.class, a.approval, p.by AS approver, p.at AS approved_at,
    CASE WHEN a.approval IS NULL THEN 'it names no approval'
         WHEN p.id IS NULL THEN 'the approval that it names is not in these records'
         WHEN p.answer <> 'approve' THEN 'the answer that it names is a denial'
         WHEN p.action_digest IS NOT a.action_digest THEN p.by || ' approved another action'
         WHEN p.ticket IS NOT a.parent THEN p.by || ' answered another ticket'
         WHEN EXISTS (SELECT 1 FROM stranger s WHERE s.ticket = a.parent AND s.at <= a.at)
           THEN (SELECT s.by FROM stranger s WHERE s.ticket = a.parent AND s.at <= a.at ORDER BY s.at, s.by LIMIT 1) || ' is none of those who may approve it'
         WHEN a.at < p.at THEN p.by || ' approved only afterwards'
         WHEN a.at >= p.expires THEN 'the approval of ' || p.by || ' had expired'
         WHEN EXISTS (SELECT 1 FROM decision u WHERE u.approval = a.approval AND u.verdict = 'allow' AND u.record < a.record)
           THEN 'the approval of ' || p.by || ' had been used before'
         WHEN EXISTS (SELECT 1 FROM approval x WHERE x.ticket = a.parent AND x.answer <> 'approve' AND x.at <= a.at) THEN 'somebody had denied it'
         WHEN (SELECT count(DISTINCT w.same) FROM approval x JOIN person w ON w.id = x.by
               WHERE x.ticket = a.parent AND x.answer = 'approve' AND x.at <= a.at)
              < coalesce((SELECT t.ticket_quorum FROM decision t WHERE t.id = a.parent), 1) THEN 'fewer people approved than must'
         WHEN a.spend_currency IS NOT p.currency OR (a.spend_whole, a.spend_nano) > (p.amount_whole, p.amount_nano)
           OR a.spend_amount IS NOT p.amount AND (a.spend_whole IS NULL OR p.amount_whole IS NULL)
           THEN 'the price is not the one that was approved'
         WHEN (p.amount_whole, p.amount_nano) > (p.up_to_whole, p.up_to_nano) THEN p.by || ' may not approve as much' END AS problem
  FROM act a LEFT JOIN approval p ON p.record = (SELECT min(record) FROM approval WHERE id = a.approval)
  WHERE a.tier = 'authorization_required' AND a.mode = 'enforce' AND a.ran)
ORDER BY at, decision;
