-- Every statement of the state. The loader (queries.py) splits at `-- name:`; the comment below a name says what it is for.
-- `(:keys)` stands for a list of fixed length; `:name` is a parameter.

-- name: account_of
-- The account that a credential was last seen to belong to.
select a.fingerprint, a.provider, a.name
from credentials c join accounts a on a.fingerprint = c.account
where c.credential = :credential;

-- name: accounts
-- The accounts of a provider, oldest first.
select fingerprint, provider, name from accounts where provider = :provider order by seen_at, fingerprint;

-- name: put_account
-- Add an account or take over its new name.
insert into accounts (fingerprint, provider, name, seen_at) values (:fingerprint, :provider, :name, :now)
on conflict (fingerprint) do update set provider = excluded.provider, name = excluded.name;

-- name: put_credential
-- Note which account a credential belongs to.
insert into credentials (credential, account, seen_at) values (:credential, :fingerprint, :now)
on conflict (credential) do update set account = excluded.account, seen_at = excluded.seen_at;

-- name: put_worker
-- Announce a process.
insert into workers (worker_id, host, pid, started, beat_at) values (:worker_id, :host, :pid, :started, :now)
on conflict (worker_id) do update
set host = excluded.host, pid = excluded.pid, started = excluded.started, beat_at = excluded.beat_at;

-- name: beat
-- A process says that it is alive.
update workers set beat_at = :now where worker_id = :worker_id;

-- name: remove_worker
-- A process says goodbye.
delete from workers where worker_id = :worker_id;

-- name: worker
-- What tells whether the owner of a submission still lives.
select host, pid, started, beat_at from workers where worker_id = :worker_id;

-- name: put_run
-- Record a run; its tasks are there already.
insert into runs (run_id, job, file, state, started_at, ended_at, details)
values (:run_id, :job, :file, :state, :started_at, :ended_at, :details);

-- name: put_task
-- Add a task to a run.
insert into tasks (run_id, address, position, step, uses, axes, state, decision, reason, account, key, error_kind, error, updated_at)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: run_details
-- What is known of a run so far, to add to it.
select details from runs where run_id = :run_id;

-- name: end_run
-- Close a run.
update runs set state = :state, ended_at = :now, details = :details where run_id = :run_id;

-- name: set_task
-- Note a task's state; key and account stay as they are unless given.
update tasks
set state = :state, key = case when :key = '' then key else :key end,
    account = case when :account = '' then account else :account end,
    error_kind = :error_kind, error = :error, updated_at = :now
where run_id = :run_id and address = :address;

-- name: add_event
-- Note what happened.
insert into events (run_id, at, kind, data) values (:run_id, :now, :kind, :data);

-- name: runs
-- The newest runs.
select run_id, job, file, state, started_at, ended_at, details
from runs order by started_at desc, run_id desc limit :limit;

-- name: runs_of_job
-- The newest runs of one job.
select run_id, job, file, state, started_at, ended_at, details
from runs where job = :job order by started_at desc, run_id desc limit :limit;

-- name: tasks
-- The tasks of a run in plan order.
select run_id, position, address, step, uses, axes, state, decision, reason, account, key, error_kind, error, updated_at
from tasks where run_id = :run_id order by position, address;

-- name: results
-- The results among many keys of one account.
select account, key, operation, outputs, run_id, job, task, created_at
from results where account = ? and key in (:keys);

-- name: result
-- The result of one key.
select account, key, operation, outputs, run_id, job, task, created_at
from results where account = :account and key = :key;

-- name: put_result
-- Record what work gave; done again (a file was missing, say), the later result counts.
insert into results (account, key, operation, outputs, run_id, job, task, created_at)
values (?, ?, ?, ?, ?, ?, ?, ?)
on conflict (account, key) do update
set operation = excluded.operation, outputs = excluded.outputs, run_id = excluded.run_id, job = excluded.job,
    task = excluded.task, created_at = excluded.created_at;

-- name: put_artifact
-- Record a file that a task wrote.
insert into artifacts (path, sha256, size, mtime_ns, key, recorded_at) values (?, ?, ?, ?, ?, ?)
on conflict (path) do update
set sha256 = excluded.sha256, size = excluded.size, mtime_ns = excluded.mtime_ns, key = excluded.key,
    recorded_at = excluded.recorded_at;

-- name: artifact
-- What was last recorded for a file.
select sha256, size, mtime_ns, key from artifacts where path = :path;

-- name: file_facts
-- What is known of a file that has not changed since.
select facts from file_facts where path = :path and size = :size and mtime_ns = :mtime_ns and inode = :inode;

-- name: put_file_facts
-- Remember what a file holds.
insert into file_facts (path, size, mtime_ns, inode, facts) values (:path, :size, :mtime_ns, :inode, :facts)
on conflict (path) do update
set size = excluded.size, mtime_ns = excluded.mtime_ns, inode = excluded.inode, facts = excluded.facts;

-- name: submissions
-- The newest generation of each among many keys of one account.
select account, key, operation, generation, idempotency_key, tag, body_sha256, inputs, pool, state, reserved, currency,
       cost, run_id, job, task, worker_id, intent_at, sent_at, sends, handle, submitted_at, remote_status, ended_at,
       error_kind, error
from submissions s
where account = ? and key in (:keys)
  and not exists (
      select 1 from submissions later
      where later.account = s.account and later.key = s.key and later.generation > s.generation
  );

-- name: submission
-- One row of the ledger.
select account, key, operation, generation, idempotency_key, tag, body_sha256, inputs, pool, state, reserved, currency,
       cost, run_id, job, task, worker_id, intent_at, sent_at, sends, handle, submitted_at, remote_status, ended_at,
       error_kind, error
from submissions where idempotency_key = :idempotency_key;

-- name: begin_facts
-- All that `begin` decides by, in one look: a result, the newest generation, slots taken (counted up to :enough), a hold,
-- and what the run has reserved or spent.
select
    exists (select 1 from results where account = :account and key = :key),
    newest.idempotency_key, newest.generation, newest.state,
    (select count(*) from (
        select 1 from submissions
        where account = :account and pool = :pool and state in ('intent', 'submitted') limit :enough
    ) as taken),
    (select max(hold_until) from limits where account = :account and pool in (:pool, '')),
    (select committed from spending where run_id = :run_id and currency = :currency)
from (select 1 as one) as one
left join submissions newest on newest.account = :account and newest.key = :key
    and newest.generation = (select max(generation) from submissions where account = :account and key = :key);

-- name: add_submission
-- Record an intent; the first sending is part of it.
insert into submissions (
    idempotency_key, account, key, operation, generation, tag, body_sha256, inputs, pool, state, reserved, currency,
    run_id, job, task, worker_id, intent_at, sent_at, sends
) values (?, ?, ?, ?, ?, ?, ?, ?, ?, 'intent', ?, ?, ?, ?, ?, ?, ?, ?, 1);

-- name: spending
-- What a run has reserved or spent in one currency.
select committed from spending where run_id = :run_id and currency = :currency;

-- name: put_spending
-- The run's new total.
insert into spending (run_id, currency, committed) values (:run_id, :currency, :committed)
on conflict (run_id, currency) do update set committed = excluded.committed;

-- name: claim
-- Take over a live submission, if its owner is still the one that was found dead.
update submissions set worker_id = :worker_id
where idempotency_key = :idempotency_key and worker_id = :former and state in ('intent', 'submitted', 'unknown');

-- name: sent
-- Count one more sending of the same request.
update submissions set sends = sends + 1, sent_at = :now where idempotency_key = :idempotency_key;

-- name: submitted
-- Record what finds the remote job again.
update submissions set state = 'submitted', handle = :handle, submitted_at = coalesce(submitted_at, :now)
where idempotency_key = :idempotency_key and state in ('intent', 'submitted', 'unknown');

-- name: keep_handle
-- The provider's id came after the row was closed: a fact all the same.
update submissions set handle = coalesce(handle, :handle), submitted_at = coalesce(submitted_at, :now)
where idempotency_key = :idempotency_key;

-- name: revive
-- A purchase believed absent was seen to exist, and nothing was begun in its place.
update submissions set state = 'submitted', ended_at = null, cost = null
where idempotency_key = :idempotency_key and state = 'absent'
  and not exists (
      select 1 from submissions later
      where later.account = submissions.account and later.key = submissions.key
        and later.generation > submissions.generation
  );

-- name: progress
-- The provider's word on a running job.
update submissions set handle = :handle, remote_status = :remote_status
where idempotency_key = :idempotency_key and state in ('submitted', 'unknown');

-- name: ledger_line
-- What closing a row depends on.
select state, run_id, currency, reserved, cost from submissions where idempotency_key = :idempotency_key;

-- name: finish
-- Close a row, or mark it as one that a person must decide.
update submissions
set state = :state, cost = :cost, ended_at = :ended_at, error_kind = :error_kind, error = :error
where idempotency_key = :idempotency_key;

-- name: pace
-- When an account may send its next request.
select next_at, hold_until from limits where account = :account and pool = '';

-- name: put_pace
-- Move an account's next turn.
insert into limits (account, pool, next_at) values (:account, '', :next_at)
on conflict (account, pool) do update set next_at = excluded.next_at;

-- name: hold
-- Keep a pool closed; an earlier end never shortens a hold.
insert into limits (account, pool, hold_until) values (:account, :pool, :until)
on conflict (account, pool) do update
set hold_until = case when excluded.hold_until > limits.hold_until then excluded.hold_until else limits.hold_until end;

-- name: forget_result
-- A result whose file is gone.
delete from results where account = :account and key = :key;

-- name: holding
-- The rows that hold slots of an account's pool, oldest first.
select account, key, operation, generation, idempotency_key, tag, body_sha256, inputs, pool, state, reserved, currency,
       cost, run_id, job, task, worker_id, intent_at, sent_at, sends, handle, submitted_at, remote_status, ended_at,
       error_kind, error
from submissions where account = :account and pool = :pool and state in ('intent', 'submitted') order by intent_at;

-- name: claim_file
-- Note that a file is about to be written, unless it is known already.
insert into artifacts (path, sha256, size, mtime_ns, key, recorded_at) values (:path, '', -1, 0, '', :now)
on conflict (path) do nothing;
