-- name: beat
UPDATE pulse SET commits = commits + 1
-- name: commits
SELECT commits FROM pulse
-- name: census: blobs that a batch must have and has not, or that have lost bytes
SELECT b.id FROM batch AS b
LEFT JOIN image AS k ON k.batch = b.id AND k.kind = 'keys'
LEFT JOIN image AS o ON o.batch = b.id AND o.kind = 'outcomes'
WHERE k.rows IS NOT b.rows OR (b.status IN ('settled', 'verified') AND o.rows IS NOT b.rows)
LIMIT 1
-- name: get
SELECT value FROM setting WHERE name = ?
-- name: put
INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value
-- name: start_run
INSERT INTO run (id, kind, fingerprint, who, started, detail) VALUES (?, ?, ?, ?, ?, ?)
-- name: end_run
UPDATE run SET outcome = :outcome, ended = CASE WHEN :outcome = 'paused' THEN NULL ELSE :at END WHERE id = :id
-- name: run_there
SELECT 1 FROM run WHERE id = ?
-- name: runs
SELECT id, kind, fingerprint, who, started, ended, outcome, detail FROM run
WHERE (:kinds = '[]' OR kind IN (SELECT value FROM json_each(:kinds))) AND (NOT :open_only OR ended IS NULL)
ORDER BY n
-- name: cut
INSERT INTO batch (run, unit, object, operation, wire, level, status, rows, detail)
VALUES (?, ?, ?, ?, ?, ?, 'cut', ?, ?)
-- name: step
INSERT INTO step (batch, kind, job_id, at, detail) VALUES (?, ?, ?, ?, ?)
-- name: move
UPDATE batch SET status = :status, job_id = :job_id, detail = :detail WHERE id = :id
-- name: settle
UPDATE batch SET status = 'settled', ok = :ok, failed = :failed, unprocessed = :unprocessed WHERE id = :id
-- name: verified
UPDATE batch SET status = 'verified' WHERE id = ?
-- name: batch
SELECT id, run, unit, object, operation, wire, status, rows, job_id, level, detail FROM batch WHERE id = ?
-- name: batches
SELECT id, run, unit, object, operation, wire, status, rows, job_id, level, detail FROM batch
WHERE (:run = '' OR run = :run) AND (:unit = '' OR unit = :unit)
  AND (:statuses = '[]' OR status IN (SELECT value FROM json_each(:statuses)))
ORDER BY id
-- name: steps
SELECT kind, job_id, at, detail FROM step WHERE batch = ? ORDER BY id
-- name: keep_image
INSERT INTO image (batch, kind, rows, sha256, body) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (batch, kind) DO UPDATE SET rows = excluded.rows, sha256 = excluded.sha256, body = excluded.body
-- name: image
SELECT body, sha256, rows FROM image WHERE batch = ? AND kind = ?
-- name: images
SELECT i.batch, i.kind, i.body, i.sha256, i.rows FROM image AS i ORDER BY i.batch, i.kind
-- name: settled: batches that changed what is landed, in the order in which they did
SELECT id, run, object, operation FROM batch
WHERE status IN ('settled', 'verified') AND ok > 0 AND operation IN (SELECT value FROM json_each(:operations))
  AND (:object = '' OR object = :object)
ORDER BY id
-- name: with_image: batches of a unit that have a blob of this kind, newest first
SELECT b.id FROM batch AS b JOIN image AS i ON i.batch = b.id AND i.kind = :kind
WHERE b.unit = :unit AND (:run = '' OR b.run = :run) ORDER BY b.id DESC
-- name: unknown
SELECT coalesce(sum(rows), 0) FROM batch WHERE status NOT IN ('settled', 'verified')
-- name: keep_fates
INSERT INTO fates (run, unit, rows, counts, sha256, body) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (run, unit) DO UPDATE
SET rows = excluded.rows, counts = excluded.counts, sha256 = excluded.sha256, body = excluded.body
-- name: fates
SELECT body, sha256, rows FROM fates WHERE run = ? AND unit = ?
-- name: fate_counts
SELECT run, unit, counts FROM fates ORDER BY run, unit
-- name: tally
SELECT b.run, b.unit, b.object, b.operation, count(*), sum(b.rows), sum(b.ok), sum(b.failed), sum(b.unprocessed),
       sum(CASE WHEN b.status IN ('settled', 'verified') THEN 0 ELSE b.rows END)
FROM batch AS b GROUP BY b.run, b.unit, b.object, b.operation ORDER BY min(b.id)
-- name: decide
INSERT INTO decision (kind, subject, choice, who, at, detail) VALUES (?, ?, ?, ?, ?, ?)
-- name: decisions
SELECT subject, choice, who, at, detail FROM decision WHERE kind = ? ORDER BY id
-- name: put_report
INSERT INTO report (step, run, at, body) VALUES (?, ?, ?, ?)
-- name: report
SELECT run, at, body FROM report WHERE step = ? ORDER BY id DESC LIMIT 1
-- name: report_steps
SELECT step, max(at), count(*) FROM report GROUP BY step ORDER BY min(id)
