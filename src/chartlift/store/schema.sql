CREATE TABLE pulse (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  commits INTEGER NOT NULL
) STRICT;
INSERT INTO pulse VALUES (1, 0);
CREATE TABLE setting (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL                -- JSON
) STRICT, WITHOUT ROWID;
CREATE TABLE run (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  who TEXT NOT NULL,
  started TEXT NOT NULL,
  ended TEXT,
  outcome TEXT,                      -- NULL while it runs; a paused run has an outcome and no end
  detail TEXT NOT NULL
) STRICT;
CREATE TABLE batch (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run TEXT NOT NULL REFERENCES run (id),
  unit TEXT NOT NULL,
  object TEXT NOT NULL,
  operation TEXT NOT NULL,
  wire TEXT NOT NULL,
  level INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('cut', 'created', 'uploaded', 'closed', 'settled', 'verified')),
  rows INTEGER NOT NULL,
  job_id TEXT NOT NULL DEFAULT '',
  detail TEXT NOT NULL,
  ok INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  unprocessed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX batch_run ON batch (run, unit);
CREATE INDEX batch_status ON batch (status);
CREATE TABLE step (
  id INTEGER PRIMARY KEY,
  batch INTEGER NOT NULL REFERENCES batch (id),
  kind TEXT NOT NULL,
  job_id TEXT NOT NULL,
  at TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
CREATE TABLE image (
  batch INTEGER NOT NULL REFERENCES batch (id),
  kind TEXT NOT NULL CHECK (kind IN ('keys', 'pre', 'outcomes', 'post')),
  rows INTEGER NOT NULL,
  sha256 BLOB NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (batch, kind)
) STRICT;
CREATE TABLE fates (
  run TEXT NOT NULL REFERENCES run (id),
  unit TEXT NOT NULL,
  rows INTEGER NOT NULL,
  counts TEXT NOT NULL,              -- JSON: fate -> rows
  sha256 BLOB NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (run, unit)
) STRICT;
CREATE TABLE decision (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  choice TEXT NOT NULL,
  who TEXT NOT NULL,
  at TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
CREATE INDEX decision_subject ON decision (kind, subject);
CREATE TABLE report (
  id INTEGER PRIMARY KEY,
  step TEXT NOT NULL,
  run TEXT NOT NULL,
  at TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX report_step ON report (step)
