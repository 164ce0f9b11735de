INSERT INTO parameter VALUES ('fast', 10000000000, 'duration', 'haste: how soon after the request an approval is too soon to have read it');
INSERT INTO question VALUES (12, 'haste', 'Who approves faster than a request can be read?', 'fast', 0);

CREATE VIEW q_haste AS
SELECT CASE WHEN fast > 0 THEN 'exception' ELSE 'note' END AS finding, by, approvals, fast, fastest_ms, ticket,
  by || ' approved ' || fast || ' of ' || approvals || CASE approvals WHEN 1 THEN ' request' ELSE ' requests' END || ' within '
    || printf('%g', threshold / 1e9) || ' s of being asked; the fastest after ' || printf('%d.%03d', fastest_ms / 1000, fastest_ms % 1000)
    || ' s (' || ticket || ')' AS sentence
FROM (
  SELECT min(by) AS by, count(*) AS approvals, sum(took < threshold) AS fast, min(took) / 1000000 AS fastest_ms, threshold,
    max(CASE WHEN took = least THEN ticket END) AS ticket
  FROM (
    SELECT p.by, w.same, p.ticket, took, threshold, min(took) OVER (PARTITION BY w.same) AS least
    FROM (SELECT *, (unixepoch(substr(at, 1, 19)) - unixepoch(substr(asked, 1, 19))) * 1000000000 + substr(at, 21, 9) - substr(asked, 21, 9) AS took
          FROM approval WHERE answer = 'approve' AND asked IS NOT NULL AND at >= (SELECT value FROM parameter WHERE name = 'since')) p
    JOIN person w ON w.id = p.by, (SELECT value AS threshold FROM parameter WHERE name = 'fast'))
  GROUP BY same, threshold)
ORDER BY by;
