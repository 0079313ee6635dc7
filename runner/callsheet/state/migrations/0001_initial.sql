-- The state's first schema. Only what SQLite 3.35 and PostgreSQL 13 both understand, so that the queries serve both.
-- Times are seconds since the epoch, amounts of money decimal numbers as text, and maps JSON as text.

-- Provider accounts; the fingerprint is a hash of the account's lasting name, never of a key.
create table accounts (
    fingerprint text primary key,
    provider text not null,
    name text not null,
    seen_at double precision not null
);

-- Which account a credential (its digest) was seen to belong to; an account has several as keys are rotated.
create table credentials (
    credential text primary key,
    account text not null,
    seen_at double precision not null
);

-- Pace per account and pool. The empty pool stands for every request of the account.
create table limits (
    account text not null,
    pool text not null,
    next_at double precision not null default 0,
    hold_until double precision not null default 0,
    primary key (account, pool)
);

-- Processes at work. A row that is gone, silent or of a dead process means: what it owned may be taken over.
create table workers (
    worker_id text primary key,
    host text not null,
    pid bigint not null,
    started double precision not null,
    beat_at double precision not null
);

-- Invocations of `callsheet run`.
create table runs (
    run_id text primary key,
    job text not null,
    file text not null,
    state text not null,
    started_at double precision not null,
    ended_at double precision,
    details text not null
);
create index runs_by_start on runs (started_at);
create index runs_by_job on runs (job, started_at);

-- The tasks of each run, for people. Written before their run's row, hence no foreign key.
create table tasks (
    run_id text not null,
    address text not null,
    position bigint not null,
    step text not null,
    uses text not null,
    axes text not null,
    state text not null,
    decision text not null,
    reason text not null,
    account text not null,
    key text not null,
    error_kind text not null,
    error text not null,
    updated_at double precision not null,
    primary key (run_id, address)
);

-- Which task waits for which (by address).
create table dependencies (
    run_id text not null,
    address text not null,
    needs text not null,
    primary key (run_id, address, needs)
);

-- The ledger of purchases: one row per attempt to buy something. Rows change state but are never deleted.
create table submissions (
    idempotency_key text primary key,
    account text not null,
    key text not null,
    operation text not null,
    generation bigint not null,
    tag text not null,
    body_sha256 text not null,
    inputs text not null, -- what is sent, for a replay
    pool text not null,
    state text not null,
    reserved text,
    currency text not null,
    cost text,
    run_id text not null,
    job text not null,
    task text not null,
    worker_id text not null,
    intent_at double precision not null,
    sent_at double precision not null,
    sends bigint not null,
    handle text,
    submitted_at double precision,
    remote_status text not null default '',
    ended_at double precision,
    error_kind text not null default '',
    error text not null default '',
    check (state in ('intent', 'submitted', 'done', 'failed', 'rejected', 'absent', 'unknown'))
);
create unique index submissions_by_key on submissions (account, key, generation);
-- "Never pay twice" as the database sees it: one live row per purchase, whatever job, run or process it comes from.
create unique index submissions_live on submissions (account, key) where state in ('intent', 'submitted', 'unknown');
create index submissions_slots on submissions (account, pool) where state in ('intent', 'submitted');

-- What each run has reserved or spent, kept in step with `submissions`: sums of decimals as text are not SQL's to make.
create table spending (
    run_id text not null,
    currency text not null,
    committed text not null,
    primary key (run_id, currency)
);

-- What finished work gave: the cache behind "done before, same key".
create table results (
    account text not null,
    key text not null,
    operation text not null,
    outputs text not null,
    run_id text not null,
    job text not null,
    task text not null,
    created_at double precision not null,
    primary key (account, key)
);

-- Files that tasks wrote, under their final names.
create table artifacts (
    path text primary key,
    sha256 text not null,
    size bigint not null,
    mtime_ns bigint not null,
    key text not null,
    recorded_at double precision not null
);

-- What files on disk held when last looked at.
create table file_facts (
    path text primary key,
    size bigint not null,
    mtime_ns bigint not null,
    inode bigint not null,
    facts text not null
);

-- What happened, for audit.
create table events (
    run_id text not null,
    at double precision not null,
    kind text not null,
    data text not null
);
create index events_by_run on events (run_id, at);

-- Notices that providers sent; the provider's event id makes a repeated delivery harmless.
create table inbox (
    event_id text primary key,
    account text not null,
    received_at double precision not null,
    body text not null
);
