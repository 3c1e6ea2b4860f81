import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { openDatabase } from '../../packages/shared/db/client.ts';
import { claimReleasable } from '../../packages/shared/db/queries/release.ts';
import { createTestDatabase, type TestDatabase } from '../../tests/support/postgres.ts';
import { poll } from './poll.ts';
import { reconcile } from './reconcile.ts';
import { rematch } from './rematch.ts';
import { type Click, stage } from './stage.fake.ts';
import { conversionList, type Worker, worker } from './worker.fake.ts';

let database: TestDatabase;
let on: Awaited<ReturnType<typeof stage>>;
let at: Worker;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
});
afterAll(() => database.drop());
beforeEach(async () => {
  // Polls are the platform's, not a tenant's: what the test before left is put away.
  on = await stage(database);
  await on.rows(`truncate network_polls, reconciliation_findings, conversion_imports`);
  await on.rows(`delete from schedule_runs`);
  at = worker(database, on);
});
afterEach(async () => {
  expect(await on.breaches()).toEqual([]);
  await on.end();
});

const DAY = 86_400_000;
type Row = Record<string, string | number | null>;

/** A conversion as the network lists it. */
async function listed(click: Click | null, say: Row = {}): Promise<Row> {
  return {
    _id: `${on.offerId}-${say.n ?? 1}`,
    click_id: 'the network’s own',
    p1: click === null ? '' : await at.referenceOf(click),
    campaign_id: on.offerId,
    publisher_id: `pid-${on.offerId}`,
    txn_id: null,
    payout: 100,
    currency: 'INR',
    status: 'approved',
    created: new Date(on.clock.now()).toISOString(),
    ...say,
  };
}

const findings = () =>
  on.rows<{ kind: string; finding_key: string; healed: boolean; day: string; tenant_id: string | null }>(
    `select kind, finding_key, healed_at is not null as healed, day::text, tenant_id from reconciliation_findings order by kind, finding_key`,
  );

describe('a poll', () => {
  it('brings in what is missing here, reverses what was cancelled there, and sends nothing that is known', async () => {
    const [lost, cancelled] = [await on.storedClick(null), await on.storedClick(null)];
    await on.take(on.event(cancelled, { txn_id: 'C1' }));
    const rows = [
      await listed(lost, { n: 1, txn_id: 'L1' }),
      await listed(cancelled, { n: 2, txn_id: 'C1', status: 'cancelled' }),
    ];
    at.state.network = conversionList(rows).answer;
    expect(await reconcile(on.db, at.env, at.deps)).toMatchObject({ listed: 2, sent: 2, polls_finished: 1, more: 0 });
    await at.drain();
    expect((await on.ledger()).map((row) => row.status)).toEqual(['reversed', 'pending']);
    on.clock.advance(DAY);
    expect(await reconcile(on.db, at.env, at.deps)).toMatchObject({ listed: 2, sent: 0 });
  });

  it('reads a row of however many columns, and sends one that cannot be read once, however long its words', async () => {
    const other = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`p${n + 2}`, 'x']));
    const rows = [
      { ...other, ...(await listed(await on.storedClick(null), { n: 1, txn_id: 'K1' })) },
      { ...other, ...(await listed(await on.storedClick(null), { n: 2, txn_id: 'K'.repeat(2_000) })) },
    ];
    at.state.network = conversionList(rows).answer;
    expect(await poll(on.db, at.env, at.deps, 'fresh')).toMatchObject({ listed: 2, sent: 2 });
    await at.drain();
    expect(await on.ledger()).toMatchObject([{ user_amount: '50.00', status: 'pending' }]);
    on.clock.advance(DAY);
    expect(await poll(on.db, at.env, at.deps, 'fresh')).toMatchObject({ listed: 2, sent: 0 });
  });

  it('takes a number for the amount that was meant, whatever its float adds to it, and it is the same the next day', async () => {
    const rows = [
      await listed(await on.storedClick(null), { n: 1, txn_id: 'N1', payout: 23.400000000000002 }),
      await listed(await on.storedClick(null), { n: 2, txn_id: 'N2', payout: 29.989999999999998 }),
    ];
    at.state.network = conversionList(rows).answer;
    await poll(on.db, at.env, at.deps, 'fresh');
    await at.drain();
    expect(
      await on.rows('select net_commission from conversion_identities where tenant_id = $1 order by txn_id', [
        on.tenantId,
      ]),
    ).toEqual([{ net_commission: '23.40' }, { net_commission: '29.99' }]);
    on.clock.advance(DAY);
    expect(await poll(on.db, at.env, at.deps, 'fresh')).toMatchObject({ listed: 2, sent: 0 });
  });

  it('whose run dies goes on at the page where it stood, also within the schedule rematch (fault 34)', async () => {
    const clicks = await Promise.all(Array.from({ length: 3 }, () => on.storedClick(null)));
    const rows: Row[] = [];
    for (let n = 0; n < 2_500; n++) rows.push({ ...(await listed(null, { n })), p1: '', status: 'rejected' });
    for (const [index, click] of clicks.entries())
      rows.push(await listed(click, { n: 9_000 + index, txn_id: `R${index}` }));
    const list = conversionList(rows);
    at.state.network = async (url) => {
      if (list.asked.length === 2) throw new Error('the isolate is gone');
      return list.answer(url);
    };
    await expect(poll(on.db, at.env, at.deps, 'fresh')).rejects.toThrow('the isolate is gone');
    expect(list.asked.map((url) => url.searchParams.get('page'))).toEqual(['1', '2']);
    at.state.network = list.answer;
    await rematch(on.db, at.env, at.deps);
    expect(list.asked.map((url) => url.searchParams.get('page'))).toEqual(['1', '2', '3']);
    expect(await on.rows('select listed, finished_at is not null as finished from network_polls')).toEqual([
      { listed: '2503', finished: true },
    ]);
    await at.drain();
    expect(await on.ledger()).toHaveLength(3);
  });

  it('is one of two runs at once, and a run that finds a dead one’s lease waits for its end', async () => {
    const list = conversionList([]);
    at.state.network = list.answer;
    const other = on.worker();
    const counts = await Promise.all([
      poll(on.db, at.env, at.deps, 'unfinished'),
      poll(other, at.env, at.deps, 'fresh'),
    ]);
    expect(counts[0]?.polls_finished + (counts[1]?.polls_finished ?? 0)).toBe(1);
    await on.rows(`update schedule_runs set lease_until = $1, lease_token = gen_random_uuid() where name = 'poll'`, [
      new Date(on.clock.now() + 20_000),
    ]);
    expect(await poll(on.db, at.env, at.deps, 'unfinished')).toMatchObject({ polls_finished: 0 });
    expect(await poll(on.db, at.env, at.deps, 'fresh')).toMatchObject({ polls_finished: 1 });
    await other.end();
  });

  it('reaches back the longest cool-off and fifteen days at least, whatever the setting says (money rule 10)', async () => {
    const list = conversionList([]);
    at.state.network = list.answer;
    await on.owner.query('update offers set cool_off_days = 120 where offer_id = $1', [on.offerId]);
    await poll(on.db, at.env, at.deps, 'fresh');
    await on.owner.query('update offers set cool_off_days = 30 where offer_id = $1', [on.offerId]);
    const start = Date.parse(list.asked[0]?.searchParams.get('start') ?? '');
    expect((on.clock.now() - start) / DAY).toBeGreaterThanOrEqual(135);
  });

  it('cuts days that list more than it reads at once in two', async () => {
    const asked: string[] = [];
    at.state.network = async (text) => {
      const query = new URL(text).searchParams;
      const [start = '', end = ''] = [query.get('start') ?? '', query.get('end') ?? ''];
      asked.push(`${start} ${end}`);
      const days = (Date.parse(end) - Date.parse(start)) / DAY + 1;
      return Response.json({
        conversions: days > 30 ? [await listed(null)] : [],
        pagination: { perPage: 1_000, currentPage: 1, total: days > 30 ? 150_000 : 0 },
      });
    };
    await poll(on.db, at.env, at.deps, 'fresh');
    const read = asked.filter((span) => {
      const [start = '', end = ''] = span.split(' ');
      return (Date.parse(end) - Date.parse(start)) / DAY + 1 <= 30;
    });
    // Every day of the window is read exactly once, in stretches of 30 days at the most.
    for (const [index, span] of read.entries()) {
      const next = read[index + 1]?.split(' ')[0];
      if (next !== undefined) expect(Date.parse(next) - Date.parse(span.split(' ')[1] ?? '')).toBe(DAY);
    }
    expect(read.at(-1)?.split(' ')[1]).toBe(new Date(on.clock.now()).toISOString().slice(0, 10));
  });

  it('tries again what may pass, at the network’s pace, and gives up what may not', async () => {
    const list = conversionList([]);
    const answers = [
      () => new Response('{"conversions":[{"_id"', { status: 200 }),
      () => new Response('busy', { status: 429 }),
      () => Promise.reject(new TypeError('fetch failed')),
    ];
    at.state.network = async (url) => (await answers.shift()?.()) ?? list.answer(url);
    const before = on.clock.now();
    expect(await poll(on.db, at.env, at.deps, 'fresh')).toMatchObject({ polls_finished: 1 });
    expect(on.clock.now() - before).toBe(500 + 2_000 + 5_000 + 250);
    at.state.network = async () => Response.json({ success: false, error: { code: 102 } }, { status: 401 });
    await expect(poll(on.db, at.env, at.deps, 'fresh')).rejects.toMatchObject({ status: 401 });
    expect(await on.rows('select 1 from network_polls where finished_at is null')).toHaveLength(1);
  });

  it('reads on where the network puts fewer rows on a page than it was asked for', async () => {
    const rows = await Promise.all(Array.from({ length: 250 }, (_, n) => listed(null, { n, status: 'rejected' })));
    const { answer } = conversionList(rows);
    const pages: string[] = [];
    at.state.network = async (text) => {
      const url = new URL(text);
      pages.push(url.searchParams.get('page') ?? '');
      url.searchParams.set('limit', '100');
      return answer(url.href);
    };
    expect(await poll(on.db, at.env, at.deps, 'fresh')).toMatchObject({ listed: 250, sent: 250, polls_finished: 1 });
    expect(pages).toEqual(['1', '2', '3']);
    await at.drain();
  });

  it('begins a stretch anew whose list shrinks while it is read: a row has moved to a page that was read before', async () => {
    const rows: Row[] = [];
    for (let n = 0; n < 2_000; n++) rows.push(await listed(null, { n, status: 'rejected' }));
    rows.push(await listed(await on.storedClick(null), { n: 9_999, txn_id: 'S1' }));
    const moved = conversionList(rows.slice(1));
    const whole = conversionList(rows);
    // At the second page the first row is gone; the one behind the border of the pages would never be seen.
    at.state.network = async (text) => (whole.asked.length === 0 ? whole : moved).answer(text);
    expect(await poll(on.db, at.env, at.deps, 'fresh')).toMatchObject({ polls_finished: 1 });
    expect(moved.asked.map((url) => url.searchParams.get('page'))).toEqual(['2', '1', '2']);
    await at.drain();
    expect(await on.ledger()).toHaveLength(1);
  });

  it('takes a row with a character that PostgreSQL refuses, and those beside it', async () => {
    at.state.network = conversionList([
      await listed(await on.storedClick(null), {
        n: 1,
        txn_id: 'a\u0000b\ud800',
        publisher_id: '\u0000',
        country: '\u0000',
      }),
      await listed(await on.storedClick(null), { n: 2, txn_id: 'N2' }),
    ]).answer;
    expect(await poll(on.db, at.env, at.deps, 'fresh')).toMatchObject({ listed: 2, sent: 2 });
    await at.drain();
    expect(await on.ledger()).toHaveLength(2);
  });

  it('leaves out rows without the network’s id, and gives up an answer without an end', async () => {
    at.state.network = conversionList([
      { created: new Date(on.clock.now()).toISOString() },
      { ...(await listed(await on.storedClick(null))), _id: ' ' },
      await listed(await on.storedClick(null), { n: 2, txn_id: 'T1' }),
    ]).answer;
    expect(await poll(on.db, at.env, at.deps, 'fresh')).toMatchObject({ listed: 3, sent: 1, unreadable: 2 });
    await at.drain();
    expect(await on.ledger()).toHaveLength(1);
    let read = 0;
    const chunk = new TextEncoder().encode('1'.repeat(1_000_000));
    at.state.network = async () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            read += 1;
            controller.enqueue(chunk);
          },
        }),
      );
    await expect(poll(on.db, at.env, at.deps, 'fresh')).rejects.toThrow('too long');
    expect(read).toBeLessThan(4 * 15);
  });

  it('does not count when the list ends before its end', async () => {
    at.state.network = async () =>
      Response.json({ conversions: [], pagination: { perPage: 1_000, currentPage: 1, total: 5_000 } });
    await expect(poll(on.db, at.env, at.deps, 'fresh')).rejects.toThrow(/ended after 0 rows/);
    expect(await on.rows('select 1 from network_polls where finished_at is not null')).toEqual([]);
  });
});

describe('release after a poll (money rule 10)', () => {
  /** A shopper's approved conversion, its cool-off over, and who is ready for release. */
  async function due(status = 'approved') {
    const click = await on.storedClick(await on.newVisitor(await on.newUser()));
    await on.take(on.event(click, { txn_id: 'A1', _id: 'a', payout: '100', status: 'approved' }, 'poll'));
    const row = { ...(await listed(click, { txn_id: 'A1', status })), _id: `${on.offerId}-a` };
    at.state.network = conversionList([row]).answer;
    const payout = openDatabase({ connectionString: database.payout });
    const ready = async (): Promise<number> => {
      const ids = await payout.transaction((tx) =>
        claimReleasable(tx, { until: on.clock.now(), limit: 100, mustBeListed: true }),
      );
      return ids.length;
    };
    return { ready, end: () => payout.end() };
  }

  it('needs a finished one that began after the cool-off and lists the conversion as approved', async () => {
    const { ready, end } = await due();
    await poll(on.db, at.env, at.deps, 'fresh');
    on.clock.advance(30 * DAY - 60_000);
    await poll(on.db, at.env, at.deps, 'fresh');
    on.clock.advance(DAY);
    expect(await ready()).toBe(0);
    await poll(on.db, at.env, at.deps, 'fresh');
    expect(await ready()).toBe(1);
    await on.rows(
      'update network_polls set finished_at = null where started_at = (select max(started_at) from network_polls)',
    );
    expect(await ready()).toBe(0);
    await end();
  });

  it('is not put off by a poll that lists it once more and never finishes', async () => {
    const { ready, end } = await due();
    on.clock.advance(31 * DAY);
    await poll(on.db, at.env, at.deps, 'fresh');
    expect(await ready()).toBe(1);
    on.clock.advance(DAY);
    await on.rows(
      `create function stop() returns trigger language plpgsql as $$ begin raise exception 'no end'; end $$`,
    );
    await on.rows(
      'create trigger stop before update on network_polls for each row when (new.finished_at is not null) execute function stop()',
    );
    await expect(poll(on.db, at.env, at.deps, 'fresh')).rejects.toThrow();
    await on.rows('drop trigger stop on network_polls; drop function stop()');
    expect(await ready()).toBe(1);
    // Nothing is ready for the tests that follow.
    await on.rows(`update conversion_identities set listed_status = 'pending' where tenant_id = $1`, [on.tenantId]);
    await end();
  });

  it('waits while the network lists it as anything else, or not at all', async () => {
    const { ready, end } = await due('pending');
    on.clock.advance(31 * DAY);
    await poll(on.db, at.env, at.deps, 'fresh');
    expect(await ready()).toBe(0);
    at.state.network = conversionList([]).answer;
    on.clock.advance(DAY);
    await poll(on.db, at.env, at.deps, 'fresh');
    expect(await ready()).toBe(0);
    await end();
  });

  it('waits while the tenant is suspended, by PostgreSQL’s word and nobody’s copy (fault 38)', async () => {
    const { ready, end } = await due();
    on.clock.advance(31 * DAY);
    await poll(on.db, at.env, at.deps, 'fresh');
    await on.owner.query(`update tenants set status = 'suspended' where tenant_id = $1`, [on.tenantId]);
    expect(await ready()).toBe(0);
    // What was bought through its links is still taken: KV may show them as active for a minute and more.
    expect(await on.take(on.event(await on.storedClick(null), { txn_id: 'B1' }))).toMatchObject({ credited: 1 });
    await on.owner.query(`update tenants set status = 'active' where tenant_id = $1`, [on.tenantId]);
    expect(await ready()).toBe(1);
    await end();
  });
});

describe('the report', () => {
  it('names what is missing here, missing there and different, by tenant and day, and heals it when the lists agree', async () => {
    const [unknown, gone, differing] = [
      await on.storedClick(null),
      await on.storedClick(null),
      await on.storedClick(null),
    ];
    const created = new Date(on.clock.now()).toISOString();
    const day = created.slice(0, 10);
    await on.take(
      on.event(gone, { txn_id: 'G1' }),
      on.event(differing, { txn_id: 'D1', _id: '2', payout: '100' }, 'poll'),
    );
    on.clock.advance(3 * DAY);
    const rows = [
      await listed(unknown, { n: 1, txn_id: 'U1', created }),
      await listed(differing, { n: 2, txn_id: 'D1', payout: 80.5, created }),
    ];
    at.state.network = conversionList(rows).answer;
    await poll(on.db, at.env, at.deps, 'fresh');
    const [conv] = await on.rows<{ conv_id: string }>(
      `select conv_id from conversions where tenant_id = $1 and txn_id = 'G1'`,
      [on.tenantId],
    );
    const found = (kind: string, finding_key: string, healed: boolean) => ({
      kind,
      finding_key,
      healed,
      day,
      tenant_id: on.tenantId,
    });
    const ours = async () => (await findings()).filter((row) => row.tenant_id === on.tenantId);
    expect(await ours()).toEqual([
      found('differing', `net:${on.offerId}-2`, false),
      found('missing_here', `net:${on.offerId}-1`, false),
      found('missing_there', `conv:${conv?.conv_id}`, false),
    ]);
    await at.drain();
    on.clock.advance(DAY);
    rows.push(await listed(gone, { n: 3, txn_id: 'G1', created }));
    await poll(on.db, at.env, at.deps, 'fresh');
    await at.drain();
    on.clock.advance(DAY);
    await poll(on.db, at.env, at.deps, 'fresh');
    expect((await ours()).filter((row) => !row.healed)).toEqual([]);
    // Three sales, one of them amended by the list. Rows of one millisecond come in any order.
    expect((await on.ledger()).map((row) => row.user_amount).sort()).toEqual(['-9.75', '50.00', '50.00', '50.00']);
  });

  it('names everything that is missing there, however much it is', async () => {
    const click = await on.storedClick(null);
    for (let batch = 0; batch < 11; batch++)
      await on.take(...Array.from({ length: 100 }, (_, n) => on.event(click, { txn_id: `M${batch}-${n}` })));
    on.clock.advance(3 * DAY);
    at.state.network = conversionList([]).answer;
    const open = async () =>
      (await findings()).filter(
        (found) => found.kind === 'missing_there' && found.tenant_id === on.tenantId && !found.healed,
      ).length;
    await poll(on.db, at.env, at.deps, 'fresh');
    expect(await open()).toBe(1_100);
    // What is lost by now need not be there.
    for (let batch = 0; batch < 11; batch++)
      await on.take(
        ...Array.from({ length: 100 }, (_, n) => on.event(click, { txn_id: `M${batch}-${n}`, status: 'cancelled' })),
      );
    on.clock.advance(1_000);
    await poll(on.db, at.env, at.deps, 'fresh');
    expect(await open()).toBe(0);
  });

  it('names whose a sale is by the link in our reference, where the network names no publisher', async () => {
    const created = new Date(on.clock.now()).toISOString();
    const row = await listed(await on.storedClick(null), { n: 1, txn_id: 'P1', created, currency: 'USD' });
    at.state.network = conversionList([{ ...row, publisher_id: null }]).answer;
    await poll(on.db, at.env, at.deps, 'fresh');
    expect((await findings()).filter((found) => found.finding_key === `net:${on.offerId}-1`)).toMatchObject([
      { kind: 'missing_here', tenant_id: on.tenantId, healed: false },
    ]);
  });

  it('has done with what an operator put aside, until the network says something else of it', async () => {
    const created = new Date(on.clock.now()).toISOString();
    const row = await listed(await on.storedClick(null), { n: 1, txn_id: 'P2', created, currency: 'USD' });
    at.state.network = (url) => conversionList([row]).answer(url);
    const open = async () => {
      on.clock.advance(DAY);
      await poll(on.db, at.env, at.deps, 'fresh');
      await at.drain();
      return (await findings()).filter((found) => found.finding_key === `net:${on.offerId}-1` && !found.healed).length;
    };
    expect([await open(), await open()]).toEqual([1, 1]);
    await on.rows(`update unmatched_conversions set status = 'dismissed' where raw ->> '_id' = $1`, [
      `${on.offerId}-1`,
    ]);
    expect([await open(), await open()]).toEqual([0, 0]);
    row.payout = 120;
    expect(await open()).toBe(1);
  });

  it('tells of another order id and another currency, and sends neither again and again', async () => {
    const click = await on.storedClick(null);
    const created = new Date(on.clock.now()).toISOString();
    const row = await listed(click, { n: 1, txn_id: 'X1', payout: 100, created });
    at.state.network = (url) => conversionList([row]).answer(url);
    const polled = async () => {
      on.clock.advance(DAY);
      const { sent } = await poll(on.db, at.env, at.deps, 'fresh');
      await at.drain();
      return sent;
    };
    const open = async () =>
      (await findings()).filter((found) => found.tenant_id === on.tenantId && !found.healed).map(({ kind }) => kind);
    const kept = async () =>
      on.rows(`select reason from unmatched_conversions where raw ->> '_id' = $1`, [`${on.offerId}-1`]);
    expect([await polled(), await polled(), await open()]).toEqual([1, 0, []]);
    row.txn_id = 'X2';
    expect([await polled(), await open()]).toEqual([0, ['differing']]);
    // What it is worth as well: said to the consumer once, which keeps it for operators.
    row.payout = 90;
    expect([await polled(), await polled(), await polled()]).toEqual([1, 0, 0]);
    expect([await open(), await kept()]).toEqual([['differing'], [{ reason: 'ambiguous' }]]);
    Object.assign(row, { txn_id: 'X1', payout: 100, currency: 'USD' });
    expect([await polled(), await open()]).toEqual([0, ['differing']]);
    row.currency = 'INR';
    expect([await polled(), await open()]).toEqual([0, []]);
    expect((await on.ledger()).map(({ user_amount, status }) => [user_amount, status])).toEqual([['50.00', 'pending']]);
    // That it is lost is heard, whatever its order id.
    Object.assign(row, { txn_id: 'X3', status: 'cancelled' });
    expect([await polled(), await polled(), await open()]).toEqual([1, 0, []]);
    expect((await on.ledger()).map(({ status }) => status)).toEqual(['reversed']);
  });
});

describe('the daily CSV', () => {
  const CSV = 'https://network.test/daily.csv?key=k';
  const file = (rows: Row[]): string => {
    const columns = [
      '_id',
      'p1',
      'txn_id',
      'currency',
      'payout',
      'sale_amount',
      'status',
      'created',
      'campaign_id',
      'publisher_id',
    ];
    return [columns.join(','), ...rows.map((row) => columns.map((name) => row[name] ?? '').join(','))].join('\r\n');
  };

  it('is pulled for yesterday, and for every day that was missed since (fault 34)', async () => {
    at.env.TRACKIER_CSV_URL = CSV;
    const asked: string[] = [];
    const empty = conversionList([]).answer;
    const files = new Map<string, string>();
    at.state.network = async (text) => {
      const url = new URL(text);
      if (url.pathname !== '/daily.csv') return empty(text);
      const day = url.searchParams.get('date') ?? '';
      asked.push(day);
      return new Response(files.get(day) ?? file([]));
    };
    const dayBefore = (days: number): string => new Date(on.clock.now() - days * DAY).toISOString().slice(0, 10);
    await reconcile(on.db, at.env, at.deps);
    const first = dayBefore(1);
    expect(asked).toEqual([first]);
    on.clock.advance(3 * DAY);
    files.set(
      dayBefore(2),
      file([await listed(await on.storedClick(null), { n: 5, sale_amount: '1000.00', txn_id: 'V1' })]),
    );
    expect(await reconcile(on.db, at.env, at.deps)).toMatchObject({ csv_days: 3, csv_listed: 1, csv_sent: 1 });
    expect(asked).toEqual([first, dayBefore(3), dayBefore(2), dayBefore(1)]);
    await at.drain();
    expect(await on.ledger()).toHaveLength(1);
    expect(await reconcile(on.db, at.env, at.deps)).toMatchObject({ csv_days: 0 });
  });

  it('of a day that is never made keeps no later one away, and operators are called when it is missing for two days', async () => {
    at.env.TRACKIER_CSV_URL = CSV;
    const empty = conversionList([]).answer;
    const never = new Date(on.clock.now() - DAY).toISOString().slice(0, 10);
    let isMade = false;
    at.state.network = async (text) => {
      const url = new URL(text);
      if (url.pathname !== '/daily.csv') return empty(text);
      const isMissing = url.searchParams.get('date') === never && !isMade;
      return isMissing ? new Response('gone', { status: 404 }) : new Response(file([]));
    };
    const calls = () => at.pages.filter(({ key }) => key === 'daily-csv').map(({ action }) => action);
    const days = () =>
      on.rows(
        `select day::text from conversion_imports where source = 'daily' and finished_at is not null order by day`,
      );
    await expect(reconcile(on.db, at.env, at.deps)).rejects.toMatchObject({ status: 404 });
    on.clock.advance(DAY);
    await expect(reconcile(on.db, at.env, at.deps)).rejects.toMatchObject({ status: 404 });
    expect(calls()).toEqual([]);
    expect(await days()).toHaveLength(1);
    for (let run = 0; run < 2; run++) {
      on.clock.advance(DAY);
      await expect(reconcile(on.db, at.env, at.deps)).rejects.toMatchObject({ status: 404 });
    }
    expect(calls()).toEqual(['trigger']);
    expect(await days()).toHaveLength(3);
    isMade = true;
    expect(await reconcile(on.db, at.env, at.deps)).toMatchObject({ csv_days: 1 });
    expect(calls()).toEqual(['trigger', 'resolve']);
  });

  it('of a network that is down is asked for three days at a time, not for thirty', async () => {
    at.env.TRACKIER_CSV_URL = CSV;
    const empty = conversionList([]).answer;
    const asked = new Set<string>();
    let isDown = false;
    at.state.network = async (text) => {
      const url = new URL(text);
      if (url.pathname !== '/daily.csv') return empty(text);
      asked.add(url.searchParams.get('date') ?? '');
      return isDown ? new Response('', { status: 500 }) : new Response(file([]));
    };
    await reconcile(on.db, at.env, at.deps);
    asked.clear();
    isDown = true;
    on.clock.advance(12 * DAY);
    await expect(reconcile(on.db, at.env, at.deps)).rejects.toThrow();
    expect(asked.size).toBe(3);
  });

  it('that breaks off, or cannot be had, is pulled again by the next run', async () => {
    at.env.TRACKIER_CSV_URL = CSV;
    const empty = conversionList([]).answer;
    const whole = file([await listed(await on.storedClick(null), { n: 6, txn_id: 'W1' })]);
    const answers = [
      () => new Response('gone', { status: 404 }),
      () => new Response(`${whole}\r\n"half`),
      () => new Response(whole),
    ];
    at.state.network = async (text) =>
      new URL(text).pathname === '/daily.csv'
        ? (answers.shift()?.() ?? new Response('', { status: 500 }))
        : empty(text);
    await expect(reconcile(on.db, at.env, at.deps)).rejects.toMatchObject({ status: 404 });
    expect(await reconcile(on.db, at.env, at.deps)).toMatchObject({ csv_days: 1, csv_sent: 1, csv_failed: 1 });
    await at.drain();
    expect(await reconcile(on.db, at.env, at.deps)).toMatchObject({ csv_days: 1, csv_sent: 0, csv_failed: 0 });
    expect(await on.ledger()).toHaveLength(1);
  });
});
