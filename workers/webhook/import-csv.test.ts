import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../tests/support/postgres.ts';
import { stage } from './stage.fake.ts';
import { takeUpload } from './uploads.ts';
import { type Worker, worker } from './worker.fake.ts';

let database: TestDatabase;
let on: Awaited<ReturnType<typeof stage>>;
let at: Worker;
beforeAll(async () => {
  database = await createTestDatabase(inject('postgres'));
  on = await stage(database);
  at = worker(database, on);
});
afterAll(async () => {
  expect(await on.breaches()).toEqual([]);
  await on.end();
  await database.drop();
});

const HEADER = '_id,p1,txn_id,currency,payout,sale_amount,status,created,campaign_id,publisher_id';

/** A body that hands out a piece when it is asked for one, and remembers the most that lay between. */
function streamed(pieces: Iterable<string>) {
  const encoder = new TextEncoder();
  const iterator = pieces[Symbol.iterator]();
  const flow = { given: 0 };
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const { done, value } = iterator.next();
        if (done) controller.close();
        else {
          flow.given += 1;
          controller.enqueue(encoder.encode(value));
        }
      },
    },
    { highWaterMark: 0 },
  );
  return { body, flow };
}

const upload = (text: string | Iterable<string>, dryRun = false) =>
  takeUpload(at.env, at.deps, { body: streamed(typeof text === 'string' ? [text] : text).body, dryRun, by: null });

describe('an upload', () => {
  it('enters the same path as postbacks, and a second one of the same file says nothing new', async () => {
    const reference = await at.referenceOf(await on.storedClick(null));
    const rows = [1, 2].map(
      (n) => `${on.offerId}-u${n},${reference},U${n},INR,100,1000.00,approved,2026-11-01T11:00:00Z,${on.offerId},`,
    );
    const file = [HEADER, ...rows].join('\n');
    expect(await upload(file)).toMatchObject({ complete: true, listed: 2, sent: 2, known: 0, failed: 0, errors: [] });
    await at.drain();
    expect(await on.ledger()).toHaveLength(2);
    expect(await upload(file)).toMatchObject({ listed: 2, sent: 0, known: 2 });
  });

  it('names the line of every row that cannot be taken, across quoted line breaks, and takes the others', async () => {
    const good = (n: string): string => `${on.offerId}-${n},,,INR,1,,rejected,,${on.offerId},`;
    const file = [
      `\ufeff${HEADER}`,
      good('a'),
      `x,,,INR,1,,unheard-of,,${on.offerId},`,
      `y,"two\r\nlines",,INR,1,,approved,,${on.offerId},`,
      `,,,INR,1,,approved,,${on.offerId},`,
      'z,too,few',
      '',
      `w,,,INR,-1,,approved,,${on.offerId},`,
      good('b'),
    ].join('\r\n');
    const report = await upload(file);
    expect(report.errors).toEqual([
      { line: 3, reason: 'bad_status' },
      { line: 6, reason: 'bad_id' },
      { line: 7, reason: 'has 3 fields instead of 10' },
      { line: 9, reason: 'bad_amount' },
    ]);
    expect(report).toMatchObject({ complete: true, listed: 7, sent: 3, failed: 4 });
    expect(
      await on.rows(
        'select listed, failed, finished_at is not null as done from conversion_imports where import_id = $1',
        [report.import_id],
      ),
    ).toEqual([{ listed: '7', failed: '4', done: true }]);
    await at.drain();
  });

  it('says in a dry run what would happen, and does nothing', async () => {
    const before = at.sent.length;
    const reference = await at.referenceOf(await on.storedClick(null));
    const file = `${HEADER}\n${on.offerId}-dry,${reference},DRY,INR,100,1000.00,approved,,${on.offerId},\n${on.offerId}-u1,,U1,INR,100,,approved,,${on.offerId},\nbad,,,,,,,,,`;
    expect(await upload(file, true)).toMatchObject({ dry_run: true, listed: 3, sent: 1, known: 1, failed: 1 });
    expect(at.sent).toHaveLength(before);
    expect(
      await on.rows(`select 1 from reconciliation_findings where finding_key = $1`, [`net:${on.offerId}-dry`]),
    ).toEqual([]);
  });

  it.each([
    ['', 1, 'the file is empty'],
    ['_id,status\n', 1, 'the first line names no column campaign_id'],
    [`_id,status,campaign_id,status\n`, 1, 'the first line names a column twice, or too many'],
    [`${HEADER}\na,b\n"never closed`, 3, 'a quote is never closed'],
    [`${HEADER}\n${'x'.repeat(20_000)}\n`, 2, 'the row has more than 16384 characters, or a quote is never closed'],
  ])('that is no such file says so (%#)', async (text, line, reason) => {
    const report = await upload(text.length === 0 ? [] : text);
    expect(report.complete).toBe(false);
    expect(report.errors.at(-1)).toEqual({ line, reason });
  });

  it.each([
    ['gzip', (text: string) => gzipSync(text)],
    ['UTF-16 with a byte order mark', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')],
  ])('may be %s', async (name, encode) => {
    const file = encode(`${HEADER}\n${on.offerId}-${name.length}-é,,,INR,1,,rejected,,${on.offerId},\n`);
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of file) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    const report = await takeUpload(at.env, at.deps, { body, dryRun: false, by: null });
    expect(report).toMatchObject({ complete: true, listed: 1, sent: 1, errors: [] });
    await at.drain();
    expect(
      await on.rows(`select 1 from unmatched_conversions where raw ->> '_id' = $1`, [`${on.offerId}-${name.length}-é`]),
    ).toHaveLength(1);
  });

  it('names the rows that are in another encoding, and says where a compressed file is broken', async () => {
    const row = (n: string) => `${on.offerId}-${n},,,INR,1,,rejected,,${on.offerId},\n`;
    const take = (file: Uint8Array<ArrayBuffer>) =>
      takeUpload(at.env, at.deps, { body: new Blob([file]).stream(), dryRun: true, by: null });
    expect(await take(new Uint8Array(Buffer.from(`${HEADER}\n${row('latin')}${row('é')}`, 'latin1')))).toMatchObject({
      listed: 2,
      sent: 1,
      errors: [{ line: 3, reason: 'is not in UTF-8' }],
    });
    const packed = gzipSync(`${HEADER}\n${row('a')}`);
    expect(await take(new Uint8Array(packed.subarray(0, packed.length - 12)))).toMatchObject({
      complete: false,
      errors: [{ reason: 'the compressed file is broken' }],
    });
  });

  it('of 20,000 rows is read as it is taken, never held as a whole', async () => {
    let produced = 0;
    let mostAhead = 0;
    function* pieces(): Generator<string> {
      yield `${HEADER}\n`;
      for (let n = 0; n < 20_000; n += 50) {
        produced = n + 50;
        mostAhead = Math.max(mostAhead, produced - at.sent.length + first);
        yield Array.from(
          { length: 50 },
          (_, index) => `${on.offerId}-m${n + index},,,INR,1,,rejected,,${on.offerId},\n`,
        ).join('');
      }
    }
    const first = at.sent.length;
    // A file this long takes a while: no two ids are minted in one millisecond by two batches.
    const { clock } = at.deps;
    at.deps.clock = {
      now: () => {
        on.clock.advance(1);
        return on.clock.now();
      },
    };
    const report = await upload(pieces());
    at.deps.clock = clock;
    expect(report).toMatchObject({ complete: true, listed: 20_000, sent: 20_000, failed: 0 });
    expect(mostAhead).toBeLessThan(3_000);
    expect(at.sent.length - first).toBe(20_000);
    const ids = new Set(at.sent.slice(first).map(({ body }) => (body as { postback_id: string }).postback_id));
    expect(ids.size).toBe(20_000);
  });

  it('waits for a queue that is full, and breaks off with an error when it stays full', async () => {
    const file = `${HEADER}\n${on.offerId}-full,,,INR,1,,rejected,,${on.offerId},\n`;
    at.failing.queue = 3;
    expect(await upload(file)).toMatchObject({ sent: 1 });
    at.failing.queue = 100;
    await expect(upload(file.replace('-full', '-fuller'))).rejects.toThrow('Queue sendBatch failed');
    at.failing.queue = 0;
  });
});
