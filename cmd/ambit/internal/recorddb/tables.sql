-- The records of journals as tables, version 1. docs/sql.md says what each column holds.
PRAGMA user_version = 1;

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) STRICT;

-- What the questions go by; change a value, and the views answer anew.
CREATE TABLE parameter (name TEXT PRIMARY KEY, value ANY, unit TEXT NOT NULL, says TEXT NOT NULL) STRICT;

CREATE TABLE question (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, asks TEXT NOT NULL,
  parameters TEXT NOT NULL, per_act INTEGER NOT NULL) STRICT;

-- The chain.

CREATE TABLE record (
  n INTEGER PRIMARY KEY, journal TEXT NOT NULL, seq INTEGER NOT NULL, hash TEXT NOT NULL, prev TEXT NOT NULL,
  ok INTEGER NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, at TEXT, file TEXT NOT NULL, json TEXT) STRICT;

CREATE TABLE gap (
  n INTEGER PRIMARY KEY, kind TEXT NOT NULL, file TEXT NOT NULL, at_byte INTEGER, journal TEXT, after_seq INTEGER,
  says TEXT NOT NULL) STRICT;

CREATE TABLE person (id TEXT PRIMARY KEY, same TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- Decisions, and what each consists of.

CREATE TABLE decision (
  record INTEGER PRIMARY KEY, id TEXT NOT NULL, at TEXT, parent TEXT,
  verdict TEXT NOT NULL, would TEXT, mode TEXT NOT NULL, standing TEXT NOT NULL,
  class TEXT, domain TEXT, effect TEXT, base_tier TEXT NOT NULL, tier TEXT NOT NULL,
  agent TEXT NOT NULL, environment TEXT NOT NULL, session TEXT, on_behalf_of TEXT,
  model_provider TEXT, model_name TEXT, model_version TEXT, model_basis TEXT, model_pin TEXT,
  prompt_digest TEXT, prompt_pin TEXT, tool_server TEXT, tool TEXT NOT NULL, tool_digest TEXT, tool_pin TEXT, call_id TEXT,
  authorization TEXT, authorization_version INTEGER, authorization_digest TEXT, owner TEXT, body TEXT, granted_by TEXT,
  granted_at TEXT, expires TEXT, next_review TEXT, grant_record TEXT, unsigned INTEGER, matrix TEXT,
  arguments TEXT, arguments_digest TEXT, action_digest TEXT,
  spend_currency TEXT, spend_amount TEXT, spend_whole INTEGER, spend_nano INTEGER,
  spend_limit TEXT, spend_limit_whole INTEGER, spend_limit_nano INTEGER, spend_top TEXT, spend_basis TEXT,
  spend_observed INTEGER, cost_centre TEXT, counted_at TEXT, lease TEXT,
  ticket_expires TEXT, ticket_quorum INTEGER, ticket_by TEXT, review_due TEXT, review_reason TEXT, review_by TEXT,
  rationale_complete INTEGER, rationale_missing TEXT, purpose TEXT, expected TEXT, fallback TEXT,
  approval TEXT, trace_id TEXT, span_id TEXT, sealed TEXT, sealed_key TEXT) STRICT;

CREATE TABLE decision_reason (decision TEXT NOT NULL, position INTEGER NOT NULL, reason TEXT NOT NULL) STRICT;

CREATE TABLE decision_check (
  decision TEXT NOT NULL, position INTEGER NOT NULL, kind TEXT NOT NULL, check_id TEXT NOT NULL, result TEXT NOT NULL,
  reason TEXT, why TEXT, message TEXT, within TEXT, raised_to TEXT, inputs TEXT) STRICT;

CREATE TABLE decision_fact (
  decision TEXT NOT NULL, position INTEGER NOT NULL, derived INTEGER NOT NULL, name TEXT NOT NULL, value TEXT, digest TEXT,
  source TEXT, at TEXT, error TEXT) STRICT;

CREATE TABLE decision_limit (
  decision TEXT NOT NULL, position INTEGER NOT NULL, kind TEXT NOT NULL, limit_id TEXT NOT NULL, cost_centre TEXT,
  max TEXT NOT NULL, currency TEXT, per TEXT NOT NULL, zone TEXT, from_at TEXT, until_at TEXT) STRICT;

-- What came of them, and what people said.

CREATE TABLE outcome (
  record INTEGER PRIMARY KEY, id TEXT NOT NULL, at TEXT, decision TEXT NOT NULL, started TEXT, status TEXT NOT NULL,
  error TEXT, error_type TEXT, result_digest TEXT, result_bytes INTEGER, effect_id TEXT,
  spent TEXT, spent_whole INTEGER, spent_nano INTEGER, sealed TEXT, sealed_key TEXT) STRICT;

CREATE TABLE settlement (
  record INTEGER PRIMARY KEY, id TEXT NOT NULL, at TEXT, decision TEXT NOT NULL, status TEXT NOT NULL,
  spent TEXT, spent_whole INTEGER, spent_nano INTEGER, by TEXT, why TEXT) STRICT;

CREATE TABLE approval (
  record INTEGER PRIMARY KEY, id TEXT NOT NULL, at TEXT, ticket TEXT NOT NULL, by TEXT NOT NULL, groups TEXT, answer TEXT NOT NULL,
  why TEXT, change TEXT, action_digest TEXT NOT NULL, currency TEXT, amount TEXT, amount_whole INTEGER, amount_nano INTEGER,
  up_to TEXT, up_to_whole INTEGER, up_to_nano INTEGER, asked TEXT, expires TEXT, agent TEXT NOT NULL, environment TEXT NOT NULL,
  on_behalf_of TEXT, tool_server TEXT, tool TEXT NOT NULL, class TEXT, authorization TEXT, authorization_digest TEXT, owner TEXT) STRICT;

CREATE TABLE review (
  record INTEGER PRIMARY KEY, id TEXT NOT NULL, at TEXT, decision TEXT NOT NULL, by TEXT NOT NULL, groups TEXT, finding TEXT NOT NULL,
  why TEXT, action TEXT, reason TEXT NOT NULL, owed TEXT, due TEXT, agent TEXT NOT NULL, environment TEXT NOT NULL,
  on_behalf_of TEXT, class TEXT, authorization TEXT, authorization_digest TEXT, owner TEXT) STRICT;

-- What is authorized, and how that changed.

CREATE TABLE lifecycle (
  record INTEGER PRIMARY KEY, id TEXT NOT NULL, at TEXT, event TEXT NOT NULL, agent TEXT, environment TEXT,
  authorization TEXT, authorization_version INTEGER, authorization_digest TEXT, standing TEXT NOT NULL,
  document TEXT, digest TEXT, bytes_digest TEXT, supersedes TEXT, message TEXT, by TEXT,
  suspends_everything INTEGER, suspends_agent TEXT, suspends_authorization TEXT, suspends_class TEXT, subject_key TEXT,
  denied INTEGER, from_at TEXT, until_at TEXT, previous_journal TEXT, previous_seq INTEGER, previous_hash TEXT, damage TEXT) STRICT;

CREATE TABLE document (
  digest TEXT PRIMARY KEY, name TEXT, kind TEXT, loaded_at TEXT, bytes BLOB NOT NULL, signature BLOB,
  authorization TEXT, agent TEXT, from_at TEXT, until_at TEXT) STRICT;

CREATE TABLE authorization (
  digest TEXT PRIMARY KEY, id TEXT NOT NULL, version INTEGER NOT NULL, owner TEXT NOT NULL, body TEXT, granted_at TEXT, expires TEXT,
  next_review TEXT, grant_record TEXT, supersedes TEXT, matrix TEXT, unsigned INTEGER NOT NULL, loaded_at TEXT, problem TEXT) STRICT;

CREATE TABLE grantor (authorization_digest TEXT NOT NULL, by TEXT NOT NULL, PRIMARY KEY (authorization_digest, by)) STRICT, WITHOUT ROWID;

CREATE TABLE class (
  authorization_digest TEXT NOT NULL, class TEXT NOT NULL, tool TEXT NOT NULL, agent TEXT NOT NULL, environment TEXT NOT NULL,
  domain TEXT, tier TEXT NOT NULL, effect TEXT NOT NULL, conditional INTEGER NOT NULL, review_by TEXT,
  PRIMARY KEY (authorization_digest, class, tool, environment)) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoint (
  record INTEGER PRIMARY KEY, id TEXT NOT NULL, at TEXT, journal TEXT NOT NULL, seq INTEGER NOT NULL, hash TEXT NOT NULL,
  key TEXT NOT NULL, signature BLOB) STRICT;

CREATE TABLE tier (name TEXT PRIMARY KEY, rank INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO tier VALUES ('parameterized', 1), ('bounded_escalation', 2), ('authorization_required', 3), ('prohibited', 4);
