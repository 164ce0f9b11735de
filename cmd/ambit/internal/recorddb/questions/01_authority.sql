INSERT INTO question VALUES (1, 'authority', 'Who authorized each act, and was that in force at that instant?', '', 1);

CREATE VIEW q_authority AS
SELECT CASE WHEN problem IS NULL THEN 'note' ELSE 'exception' END AS finding,
  decision, at, tool, authorization, version, digest, owner, body, granted_by, granted_at, expires, next_review, grant_record, problem,
  tool || ' at ' || substr(at, 1, 19) || 'Z (' || decision || ') ran under ' || coalesce(authorization || ' version ' || version
    || ', granted by ' || coalesce((SELECT group_concat(value, ', ') FROM json_each(granted_by)), 'nobody')
    || coalesce(' in ' || body, '') || ', in the account of ' || owner, 'no authorization')
    || CASE WHEN problem IS NOT NULL THEN ': ' || problem
            WHEN lapse IS NOT NULL THEN '; ' || lapse || ', and people approved this call' ELSE ', which was in force' END AS sentence
FROM (
  SELECT a.id AS decision, a.at, a.tool, a.authorization, a.authorization_version AS version, a.authorization_digest AS digest,
    a.owner, a.body, a.granted_by, a.granted_at, a.expires, a.next_review, a.grant_record, a.lapse,
    CASE WHEN a.authorization IS NULL THEN 'nobody authorized it'
         WHEN d.digest IS NULL THEN 'these records do not hold the document of that digest'
         WHEN (a.authorization, a.authorization_version, a.owner, a.body, a.granted_at, a.expires)
              IS NOT (d.id, d.version, d.owner, d.body, d.granted_at, d.expires)
           OR (SELECT count(*) FROM json_each(a.granted_by) g WHERE g.value NOT IN (SELECT by FROM grantor WHERE authorization_digest = d.digest)) > 0
           THEN 'the document of that digest says otherwise'
         WHEN NOT a.recommended THEN a.lapse END AS problem
  FROM act a LEFT JOIN authorization d ON d.digest = a.authorization_digest);
