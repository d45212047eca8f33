-- Every statement of the journal, by name. Tables: migrations.py. Amounts are text: exact, summed in Python.

-- name: run_by_id
SELECT run, token, host, pid, process_started, stop_token, account_id FROM runs WHERE run_id = ?

-- name: run_rows
SELECT run_id, recipe_name, server, account_id, started_at, status, host, pid, process_started
FROM runs WHERE started_at IS NOT NULL ORDER BY run DESC

-- name: add_run
INSERT INTO runs (run_id, token, host, pid, process_started) VALUES (?, 1, ?, ?, ?)

-- name: take_run
UPDATE runs SET token = token + 1, host = ?, pid = ?, process_started = ? WHERE run = ?

-- name: release_run
UPDATE runs SET host = NULL, pid = NULL, process_started = NULL WHERE run_id = ? AND token = ?

-- name: start_run
UPDATE runs SET recipe_name = ?, server = ?, account_id = ?, started_at = ?, status = 'running'
WHERE run = ? AND started_at IS NULL

-- name: set_run_status
UPDATE runs SET status = ? WHERE run = ?

-- name: request_stop
UPDATE runs SET stop_token = token WHERE run_id = ?

-- name: event_lines
SELECT n, body FROM events WHERE run = ? ORDER BY n

-- name: spend
SELECT account_id, day, quote, outcome, debits, refunds FROM spends WHERE run = ? AND submission = ?

-- name: put_spend
INSERT INTO spends (run, submission, account_id, day, quote, outcome, debits, refunds) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (run, submission) DO UPDATE
SET quote = excluded.quote, outcome = excluded.outcome, debits = excluded.debits, refunds = excluded.refunds

-- name: total
SELECT committed, pending FROM totals WHERE account_id = ? AND day = ? AND run = ?

-- name: put_total
INSERT INTO totals (account_id, day, run, committed, pending) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (account_id, day, run) DO UPDATE SET committed = excluded.committed, pending = excluded.pending

-- name: committed_on
SELECT run, committed FROM totals WHERE account_id = ? AND day = ?

-- name: pending_by_run
SELECT runs.run_id, totals.pending FROM totals JOIN runs USING (run) WHERE totals.account_id = ?

-- name: put_asset
INSERT INTO assets (server, account_id, digest, asset_id, media_type) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (server, account_id, digest) DO UPDATE SET asset_id = excluded.asset_id, media_type = excluded.media_type

-- name: asset
SELECT asset_id, media_type FROM assets WHERE server = ? AND account_id = ? AND digest = ?

-- name: put_finished
INSERT OR REPLACE INTO finished (run, instance, fingerprint, at, results, credits) VALUES (?, ?, ?, ?, ?, ?)

-- name: finished_names
SELECT n, instance FROM finished WHERE run = ?

-- name: rename_finished
UPDATE finished SET instance = ? WHERE n = ?

-- name: finished
SELECT runs.run_id, instance, fingerprint, at, results, credits FROM finished JOIN runs USING (run)
WHERE fingerprint = ? AND server = ? AND account_id = ? ORDER BY run DESC, n

-- name: finished_in
SELECT runs.run_id, instance, fingerprint, at, results, credits FROM finished JOIN runs USING (run)
WHERE runs.run_id = ? ORDER BY n

-- name: add_duration
INSERT INTO durations (server, tool, model, seconds) VALUES (?, ?, ?, ?)

-- name: drop_old_durations
DELETE FROM durations WHERE server = ?1 AND tool = ?2 AND model = ?3 AND n <= (
  SELECT n FROM durations WHERE server = ?1 AND tool = ?2 AND model = ?3 ORDER BY n DESC LIMIT 1 OFFSET 50)

-- name: durations
SELECT seconds FROM (
  SELECT n, seconds FROM durations WHERE server = ? AND tool = ? AND model = ? ORDER BY n DESC LIMIT 50) ORDER BY n

-- name: migration_names
SELECT name FROM migrations

-- name: add_migration
INSERT INTO migrations (name, at) VALUES (?, ?)
