INSERT INTO question VALUES (11, 'chain', 'Is every record there, once, and linked to the one before it?', '', 0);

CREATE VIEW q_chain AS
SELECT 'exception' AS finding, journal, seq, problem, sentence FROM (
  SELECT journal, after_seq AS seq, kind AS problem, says AS sentence, n FROM gap WHERE kind <> 'torn'
  UNION ALL
  SELECT journal, seq, 'link', 'record ' || seq || ' of journal ' || journal || ' does not follow record ' || before || ' (' || id || ')', n
  FROM (SELECT n, journal, seq, prev, ok, id, lag(seq) OVER j AS before, lag(hash) OVER j AS head FROM record WINDOW j AS (PARTITION BY journal ORDER BY n))
  WHERE ok AND before IS NOT NULL AND (seq <> before + 1 OR prev <> head)
  UNION ALL
  SELECT journal, seq, 'beginning', 'journal ' || journal || ' begins with record ' || seq || ', and none says that those before it were removed', n
  FROM (SELECT n, journal, seq, row_number() OVER (PARTITION BY journal ORDER BY n) AS place FROM record)
  WHERE place = 1 AND seq <> 1
    AND journal NOT IN (SELECT r.journal FROM lifecycle l JOIN record r ON r.n = l.record WHERE l.event = 'retired')
  UNION ALL
  SELECT journal, max(seq), 'repeated', kind || ' ' || id || ' is recorded ' || count(*) || ' times', max(n) FROM record GROUP BY id, kind HAVING count(*) > 1
  UNION ALL
  SELECT min(r.journal), max(r.seq), 'outcomes', 'decision ' || o.decision || ' has ' || count(*) || ' outcomes', max(r.n)
  FROM outcome o JOIN record r ON r.n = o.record GROUP BY o.decision HAVING count(DISTINCT o.id) > 1)
UNION ALL
SELECT 'note', journal, after_seq, kind, says FROM gap WHERE kind = 'torn';
