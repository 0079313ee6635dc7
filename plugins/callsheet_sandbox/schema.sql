-- Who this sandbox is: made once per data directory; the secret signs URLs.
CREATE TABLE IF NOT EXISTS account (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    username TEXT NOT NULL,
    secret BLOB NOT NULL
);
-- status: pending (no bytes yet), stored (bytes are there), ready (usable).
CREATE TABLE IF NOT EXISTS assets (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    name TEXT NOT NULL,
    mime TEXT NOT NULL,
    size INTEGER NOT NULL,
    upload_headers TEXT NOT NULL,
    uploaded_at REAL NOT NULL
);
-- A job is open until its time has passed and it has a result or a failure.
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    created_at REAL NOT NULL,
    runs_at REAL NOT NULL,
    due_at REAL NOT NULL,
    title TEXT,
    callback_id TEXT,
    folder_id TEXT,
    work TEXT NOT NULL,
    result TEXT,
    failure_code TEXT,
    failure_message TEXT
);
CREATE INDEX IF NOT EXISTS jobs_open ON jobs (due_at);
CREATE INDEX IF NOT EXISTS jobs_unfinished ON jobs (number) WHERE result IS NULL AND failure_message IS NULL;
-- Stored answers by Idempotency-Key; scope is method and path.
CREATE TABLE IF NOT EXISTS replies (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    stored_at REAL NOT NULL,
    digest TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (scope, key)
);
-- Every create that happened; never pruned, so that tests can count what would have been charged.
CREATE TABLE IF NOT EXISTS creates (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    operation TEXT NOT NULL,
    ids TEXT NOT NULL,
    idempotency_key TEXT
);
-- peak_open, and the last `creates.number` that a reset leaves out.
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
