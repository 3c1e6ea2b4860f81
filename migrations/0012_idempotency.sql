-- Answers of creating requests, kept for a day under their Idempotency-Key (fault 18).

create table idempotency_keys (
  -- SHA-256 of who asked, what for, and the key, in base64url; nobody reads a key back.
  key_id text primary key check (key_id ~ '^[A-Za-z0-9_-]{43}$'),
  -- SHA-256 of the query and the body, in base64url.
  fingerprint text not null check (fingerprint ~ '^[A-Za-z0-9_-]{43}$'),
  -- Status, headers and body, encrypted: an answer may hold what is shown once. Null while the request runs.
  answer text,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  check (expires_at > created_at)
);
create index idempotency_keys_expiry on idempotency_keys (expires_at);

alter table idempotency_keys enable row level security;
alter table idempotency_keys force row level security;
grant select, insert, update, delete on idempotency_keys to hissaback_lookup;
create policy lookup_all on idempotency_keys to hissaback_lookup using (true) with check (true);

-- Takes a key in the transaction of the work itself: whoever asks for it at the same time waits for that transaction, and takes it if the work is rolled
-- back. Answers what is there otherwise. A few expired keys are cleared away by the way.
create function claim_idempotency_key(p_key text, p_fingerprint text, p_at timestamptz, p_expires timestamptz)
  returns table (claimed boolean, fingerprint text, answer text)
  language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  delete from idempotency_keys k where k.key_id in
    (select e.key_id from idempotency_keys e where e.expires_at <= p_at and e.key_id <> p_key order by e.expires_at limit 5 for update skip locked);
  loop
    delete from idempotency_keys k where k.key_id = p_key and k.expires_at <= p_at;
    insert into idempotency_keys (key_id, fingerprint, created_at, expires_at) values (p_key, p_fingerprint, p_at, p_expires) on conflict (key_id) do nothing;
    if found then
      return query select true, p_fingerprint, null::text;
      return;
    end if;
    return query select false, k.fingerprint, k.answer from idempotency_keys k where k.key_id = p_key;
    if found then
      return;
    end if;
  end loop;
end
$$;

-- Whether a key is taken, and its answer if there is one.
create function find_idempotency_key(p_key text) returns table (answer text)
  language sql stable security definer set search_path = pg_catalog, public
  as $$ select k.answer from idempotency_keys k where k.key_id = p_key $$;

-- Keeps the answer of the request that holds the key.
create function answer_idempotency_key(p_key text, p_answer text) returns void
  language sql security definer set search_path = pg_catalog, public
  as $$ update idempotency_keys set answer = p_answer where key_id = p_key and answer is null $$;

-- Gives the key of a request back that was refused after all.
create function release_idempotency_key(p_key text) returns void
  language sql security definer set search_path = pg_catalog, public
  as $$ delete from idempotency_keys where key_id = p_key and answer is null $$;

do $$
declare f text;
begin
  foreach f in array array['claim_idempotency_key(text, text, timestamptz, timestamptz)', 'find_idempotency_key(text)',
    'answer_idempotency_key(text, text)', 'release_idempotency_key(text)'] loop
    execute format('revoke execute on function %s from public', f);
    execute format('grant execute on function %s to hissaback_api', f);
    execute format('alter function %s owner to hissaback_lookup', f);
  end loop;
end
$$;
