INSERT INTO question VALUES (9, 'pins', 'Which acts were on another model, prompt or tool than was authorized?', '', 0);

CREATE VIEW q_pins AS
SELECT CASE WHEN mode = 'observe' OR recommended THEN 'note' ELSE 'exception' END AS finding,
  id AS decision, at, authorization, class, tool, model_provider, model_name, model_version, model_pin, prompt_digest, prompt_pin, tool_digest, tool_pin,
  tool || ' at ' || substr(at, 1, 19) || 'Z (' || id || ') ran on another '
    || CASE WHEN model_pin = 'mismatch' THEN 'model (' || coalesce(model_provider || '/', '') || coalesce(model_name, '?') || coalesce(' ' || model_version, '') || ')'
            WHEN prompt_pin = 'mismatch' THEN 'prompt (' || coalesce(prompt_digest, 'none') || ')' ELSE 'tool (' || coalesce(tool_digest, 'none') || ')' END
    || ' than ' || coalesce(authorization, 'nobody') || ' authorized'
    || CASE WHEN mode = 'observe' THEN ', and was only observed' WHEN recommended THEN ', and people approved this call' ELSE '' END AS sentence
FROM act WHERE 'mismatch' IN (model_pin, prompt_pin, tool_pin)
ORDER BY at, decision;
