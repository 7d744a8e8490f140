-- name: schema
CREATE TABLE entry (
  seq INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  act TEXT NOT NULL,
  who TEXT NOT NULL,
  run TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  batch INTEGER,                     -- outcomes only
  object TEXT NOT NULL,
  rows INTEGER NOT NULL,
  detail TEXT NOT NULL,              -- JSON
  body BLOB,                         -- outcomes: record (keyed hash), outcome, reason
  sha256 BLOB,                       -- of the body
  previous BLOB NOT NULL,            -- MAC of the entry before
  mac BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX entry_batch ON entry (batch) WHERE batch IS NOT NULL
-- name: append
INSERT INTO entry (seq, at, act, who, run, fingerprint, batch, object, rows, detail, sha256, previous, mac, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
-- name: head
SELECT seq, mac FROM entry ORDER BY seq DESC LIMIT 1
-- name: page
SELECT seq, at, act, who, run, fingerprint, batch, object, rows, detail, sha256, previous, mac FROM entry
WHERE seq > ? ORDER BY seq LIMIT 500
-- name: body
SELECT body, sha256, rows FROM entry WHERE seq = ?
-- name: batch_there
SELECT 1 FROM entry WHERE batch = ?
-- name: batches
SELECT batch FROM entry WHERE batch IS NOT NULL ORDER BY batch
