INSERT INTO question VALUES (7, 'spend', 'What was spent by each class in each month, and did an act spend more than its ceiling?', '', 0);

CREATE VIEW q_spend AS
SELECT CASE WHEN above > 0 OR inexact > 0 THEN 'exception' ELSE 'note' END AS finding,
  month, authorization, class, mode, currency, acts, spent, above, open, inexact,
  coalesce(class, '(none)') || ' of ' || coalesce(authorization, '(nobody)') || ' spent ' || spent || ' ' || currency || ' in ' || month || ' on ' || acts
    || CASE acts WHEN 1 THEN ' act' ELSE ' acts' END || CASE mode WHEN 'observe' THEN ' that were only observed' ELSE '' END
    || CASE WHEN open > 0 THEN '; of ' || open || ' the outcome is not known, and the estimate counts' ELSE '' END
    || CASE WHEN above > 0 THEN '; ' || above || ' spent more than the ceiling, last ' || last_above ELSE '' END
    || CASE WHEN inexact > 0 THEN '; the amounts of ' || inexact || ' cannot be added' ELSE '' END AS sentence
FROM (
  SELECT substr(at, 1, 7) AS month, authorization, class, mode, spend_currency AS currency, count(*) AS acts,
    rtrim(rtrim(printf('%d.%09d', coalesce(sum(spent_whole), 0) + coalesce(sum(spent_nano), 0) / 1000000000,
                       coalesce(sum(spent_nano), 0) % 1000000000), '0'), '.') AS spent,
    sum(status IN ('unknown', 'open')) AS open, sum(spent_whole IS NULL OR spend_limit IS NOT NULL AND spend_limit_whole IS NULL) AS inexact,
    coalesce(sum((spent_whole, spent_nano) > (spend_limit_whole, spend_limit_nano)), 0) AS above,
    max(CASE WHEN (spent_whole, spent_nano) > (spend_limit_whole, spend_limit_nano) THEN id END) AS last_above
  FROM act WHERE spend_currency IS NOT NULL
  GROUP BY 1, 2, 3, 4, 5)
ORDER BY month, authorization, class, mode, currency;
