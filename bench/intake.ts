import pg from 'pg';
import { systemClock, systemRandom } from '../packages/shared/domain/chance.ts';
import { mintClickId } from '../packages/shared/domain/click-id.ts';
import { encodeClickReference } from '../packages/shared/domain/click-reference.ts';
import { parseKeyring } from '../packages/shared/domain/keyring.ts';
import { mintUuid } from '../packages/shared/domain/uuid.ts';
import { dataPaths } from '../scripts/stack/paths.ts';
import { loadSecrets } from '../scripts/stack/secrets.ts';
import type { StackFile } from '../scripts/stack/stack-file.ts';
import { freshPlace, removePlace, startStack } from '../tests/e2e/support/stack-process.ts';
import { type Figure, type Log, quantile } from './figures.ts';

const PER_SECOND = 50;
const SECONDS = 60;
/** How long after the last postback the books are waited for, in milliseconds. */
const DRAINED_WITHIN_MS = 60_000;

/**
 * From the moment a postback is due at the network until its conversion is committed, at a steady rate through a whole stack of its own. Postbacks leave
 * at their times whatever became of those before (open loop), and PostgreSQL itself tells of each commit.
 */
export async function benchIntake(log: Log): Promise<Figure[]> {
  const place = await freshPlace();
  log('starting a stack');
  const running = await startStack(place);
  try {
    const { workers } = await loadSecrets(dataPaths(place.dataDir).secrets);
    return await measure(running.stack, workers.REFERENCE_KEYS, log);
  } finally {
    await running.stop();
    removePlace(place);
  }
}

async function measure(stack: StackFile, referenceKeys: string, log: Log): Promise<Figure[]> {
  const owner = new pg.Client({ connectionString: stack.database.owner });
  await owner.connect();
  const due = new Map<string, number>();
  const committed = new Map<string, number>();
  try {
    const sales = await prepareSales(owner, stack, referenceKeys, PER_SECOND * SECONDS);
    // Heard at the commit and not before.
    await owner.query(`create function bench_tell() returns trigger language plpgsql as $$
      begin perform pg_notify('bench', new.raw ->> 'txn_id'); return null; end $$`);
    await owner.query('create trigger bench_tell after insert on postbacks for each row execute function bench_tell()');
    owner.on('notification', ({ payload = '' }) => committed.set(payload, performance.now()));
    await owner.query('listen bench');

    let refused = 0;
    const send = async (url: string): Promise<void> => {
      try {
        const answer = await fetch(url);
        await answer.arrayBuffer();
        if (answer.status !== 200) refused += 1;
      } catch {
        refused += 1;
      }
    };
    const sent: Promise<void>[] = [];
    const began = performance.now();
    for (const [index, sale] of sales.entries()) {
      const at = began + (index * 1_000) / PER_SECOND;
      const early = at - performance.now();
      if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
      due.set(sale.order, at);
      sent.push(send(sale.url));
      if (index % (10 * PER_SECOND) === 0) log(`${index / PER_SECOND} of ${SECONDS} s: ${committed.size} committed`);
    }
    await Promise.all(sent);
    for (const deadline = performance.now() + DRAINED_WITHIN_MS; committed.size < due.size; ) {
      if (performance.now() > deadline) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const [books] = (
      await owner.query<{ conversions: number; credits: number }>(
        `select count(*)::int as conversions, count(distinct txn_id)::int as credits from conversions where txn_id like 'bench-%'`,
      )
    ).rows;
    // Late is a figure; doubled is an error.
    if ((books?.conversions ?? 0) !== (books?.credits ?? 0))
      throw new Error(`${books?.credits} sales became ${books?.conversions} conversions`);
    if (refused > 0) log(`${refused} postbacks were refused`);
  } finally {
    await owner.end();
  }
  const took = [...due].map(([order, at]) => (committed.get(order) ?? Number.POSITIVE_INFINITY) - at);
  const seconds = (share: number) => {
    const value = quantile(took, share) / 1_000;
    return Number.isFinite(value) ? `${value.toFixed(2)} s` : 'later';
  };
  const what = (name: string) => `postback due to committed, ${PER_SECOND}/s for ${SECONDS} s, ${name}`;
  return [
    { what: what('P50'), value: seconds(0.5) },
    { what: what('P95'), value: seconds(0.95), aim: 'at most 5 s; aim 1.5 s' },
    { what: what('P99'), value: seconds(0.99) },
    { what: `committed within ${DRAINED_WITHIN_MS / 1_000} s of the last`, value: `${committed.size} of ${due.size}` },
    { what: 'P95 as a share of the 5 s', value: (quantile(took, 0.95) / 5_000).toFixed(2), aim: 'at most 1' },
  ];
}

/** Clicks of as many visitors on the demo's link, stored, and the postbacks that their sales will be. */
async function prepareSales(
  owner: pg.Client,
  stack: StackFile,
  referenceKeys: string,
  count: number,
): Promise<{ order: string; url: string }[]> {
  const { link_id: linkId, tenant_id: tenantId } = stack.demo;
  const [link] = (await owner.query<{ offer_id: number }>('select offer_id from links where link_id = $1', [linkId]))
    .rows;
  const ring = parseKeyring(referenceKeys, 'REFERENCE_KEYS');
  const clicks = Array.from({ length: count }, () => ({
    clickId: mintClickId(systemClock, systemRandom),
    linkId,
    visitorId: mintUuid(systemRandom),
  }));
  await owner.query(
    `insert into clicks (click_id, created_at, tenant_id, link_id, visitor_id, country, source)
     select c, id_time(c), $2, $3, v, 'IN', 'edge' from unnest($1::bigint[], $4::uuid[]) as u(c, v) on conflict do nothing`,
    [clicks.map(({ clickId }) => clickId), tenantId, linkId, clicks.map(({ visitorId }) => visitorId)],
  );
  return Promise.all(
    clicks.map(async (click, index) => {
      const order = `bench-${index}`;
      const url = new URL('/v1/events/conversion', stack.webhook);
      url.search = String(
        new URLSearchParams({
          token: stack.webhookToken,
          click_id: await encodeClickReference(ring, click),
          offer_id: String(link?.offer_id),
          sale_amount: '1000.00',
          status: 'approved',
          txn_id: order,
        }),
      );
      return { order, url: url.href };
    }),
  );
}
