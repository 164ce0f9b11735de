INSERT INTO parameter VALUES
  ('near', 80, 'percent', 'splitting: from which share of its ceiling on an amount is near it'),
  ('many', 3, 'count', 'splitting: how many acts near the ceiling are many'),
  ('within', 3600000000000, 'duration', 'splitting: how close together many acts are a split');
INSERT INTO question VALUES (8, 'splitting', 'Where did many acts, each just under what the agent may spend alone, follow one another?', 'near, many, within', 0);

CREATE VIEW q_splitting AS
WITH near AS (
  SELECT a.authorization, a.class, a.agent, a.environment, a.tool, a.spend_currency AS currency, a.id, a.at, a.spent_whole, a.spent_nano,
    row_number() OVER split AS i
  FROM act a, (SELECT value AS percent FROM parameter WHERE name = 'near')
  WHERE a.tier = 'parameterized' AND a.status <> 'not_executed' AND a.spend_limit_whole IS NOT NULL AND a.spend_whole IS NOT NULL
    AND (100 * a.spend_whole + 100 * a.spend_nano / 1000000000, 100 * a.spend_nano % 1000000000)
     >= (percent * a.spend_limit_whole + percent * a.spend_limit_nano / 1000000000, percent * a.spend_limit_nano % 1000000000)
  WINDOW split AS (PARTITION BY a.authorization, a.class, a.agent, a.environment, a.tool, a.spend_currency ORDER BY a.at, a.record)),
dense AS ( -- an act that is the last of many
  SELECT b.*, b.i - a.i + 1 AS many, row_number() OVER (PARTITION BY b.authorization, b.class, b.agent, b.environment, b.tool, b.currency ORDER BY b.i) AS k
  FROM near b JOIN near a ON (a.authorization, a.class, a.agent, a.environment, a.tool, a.currency)
      IS (b.authorization, b.class, b.agent, b.environment, b.tool, b.currency)
    AND a.i = b.i + 1 - (SELECT value FROM parameter WHERE name = 'many')
  WHERE (unixepoch(substr(b.at, 1, 19)) - unixepoch(substr(a.at, 1, 19))) * 1000000000 + substr(b.at, 21, 9) - substr(a.at, 21, 9)
     <= (SELECT value FROM parameter WHERE name = 'within')),
runs AS ( -- acts that are the last of many, without another between them
  SELECT authorization, class, agent, environment, tool, currency, min(i) - min(many) + 1 AS first, max(i) AS last FROM dense
  GROUP BY authorization, class, agent, environment, tool, currency, i - k)
SELECT 'exception' AS finding, r.authorization, r.class, r.agent, r.environment, r.tool, r.currency, count(*) AS acts,
  min(n.at) AS from_at, max(n.at) AS until_at,
  rtrim(rtrim(printf('%d.%09d', sum(n.spent_whole) + sum(n.spent_nano) / 1000000000, sum(n.spent_nano) % 1000000000), '0'), '.') AS spent,
  count(*) || ' acts of class ' || coalesce(r.class, '(none)') || ' of ' || coalesce(r.authorization, '(nobody)') || ', each just under its ceiling, spent '
    || rtrim(rtrim(printf('%d.%09d', sum(n.spent_whole) + sum(n.spent_nano) / 1000000000, sum(n.spent_nano) % 1000000000), '0'), '.')
    || ' ' || r.currency || ' between ' || substr(min(n.at), 1, 19) || 'Z and ' || substr(max(n.at), 1, 19) || 'Z, from ' || min(n.id) AS sentence
FROM runs r JOIN near n ON (n.authorization, n.class, n.agent, n.environment, n.tool, n.currency)
    IS (r.authorization, r.class, r.agent, r.environment, r.tool, r.currency) AND n.i BETWEEN r.first AND r.last
GROUP BY r.authorization, r.class, r.agent, r.environment, r.tool, r.currency, r.first
ORDER BY from_at, r.authorization, r.class;
