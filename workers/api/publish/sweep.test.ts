import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';
import { runPublish } from './run.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

const run = () => runPublish(on.env, { clock: on.clock, random: { bytes: (n) => new Uint8Array(n) }, log: silent });
const silent = { info() {}, warn() {}, error() {} };

async function link(slug: string, tracking_link?: string) {
  const { tenant_id } = await on.tenant();
  return on.link(tenant_id, { slug, ...(tracking_link && { offer_id: await on.offer({ tracking_link }) }) });
}

test('a link whose put failed is published by the next run, and only once', async () => {
  await link('mended');
  on.failing.kv = 1;
  expect(await run()).toMatchObject({ ok: false, counts: { failed: 1, more: 1 } });
  on.failing.kv = 0;
  expect(on.copy('_/mended')).toBeNull();
  expect(await run()).toMatchObject({ schedule: 'publish', ok: true, counts: { published: 1, failed: 0, more: 0 } });
  expect(on.copy('_/mended')).toMatchObject({ v: 1, s: 'active' });
  expect(await run()).toMatchObject({ ok: true, counts: { published: 0 } });
});

test('an offer that changes or goes takes its links along', async () => {
  const offer_id = await on.offer();
  const { tenant_id } = await on.tenant({ trackier_pid: 'pub-9' });
  await on.link(tenant_id, { slug: 'follows', offer_id });
  await run();
  await on.sql(
    "update offers set tracking_link = 'https://new.gotrackier.com/click?campaign_id=9' where offer_id = $1",
    [offer_id],
  );
  await run();
  expect(on.copy('_/follows')).toMatchObject({
    v: 2,
    u: 'https://new.gotrackier.com/click?campaign_id=9&pub_id=pub-9',
    s: 'active',
  });
  await on.sql("update offers set status = 'gone' where offer_id = $1", [offer_id]);
  await run();
  expect(on.copy('_/follows')).toMatchObject({ v: 3, s: 'paused' });
});

test('money rule 23: an older copy that was put last, unnoticed, is mended by the comparison', async () => {
  const link_id = await link('stale');
  await run();
  const old = on.copies.get('_/stale');
  await on.sql("update links set status = 'paused', version = 2 where link_id = $1", [link_id]);
  await run();
  expect(on.copy('_/stale')).toMatchObject({ v: 2, s: 'paused' });
  if (old) on.copies.set('_/stale', old);
  await run();
  expect(on.copy('_/stale')).toMatchObject({ v: 2, s: 'paused' });
});

test('a copy under a key that its link has left is taken away', async () => {
  const link_id = await link('moved');
  await run();
  await on.sql("update links set host = 'go.moved.example', version = 2 where link_id = $1", [link_id]);
  expect((await run()).counts).toMatchObject({ published: 1, removed: 1 });
  expect(on.copy('_/moved')).toBeNull(); // it has left its host
  expect(on.copy('go.moved.example/moved')).toMatchObject({ v: 2, id: link_id });
});

test('a database restored to an earlier point wins over the newer copies of the lost interval', async () => {
  const link_id = await link('restored');
  await on.sql('update links set version = 5 where link_id = $1', [link_id]);
  await run();
  await on.sql('update links set version = 3, published_version = 3 where link_id = $1', [link_id]);
  await run();
  expect(on.copy('_/restored')).toMatchObject({ v: 3 });
});

test('an emptied KV is rebuilt once the published versions are forgotten', async () => {
  await link('rebuilt');
  await run();
  const before = [...on.copies];
  on.copies.clear();
  await on.sql('update links set published_version = 0');
  expect((await run()).ok).toBe(true);
  expect([...on.copies].toSorted()).toEqual(before.toSorted());
});

test('a tracking link that is no URL leaves no copy behind, and does not come again', async () => {
  await link('broken', 'not a url');
  expect((await run()).counts).toMatchObject({ removed: 1 });
  expect(on.copies.has('_/broken')).toBe(false);
  expect((await run()).counts).toMatchObject({ removed: 0, published: 0 });
});

test('more links than one batch holds are all published in one run', async () => {
  const { tenant_id } = await on.tenant();
  const campaign_id = await on.campaign(tenant_id);
  await on.sql(
    `insert into links (link_id, tenant_id, campaign_id, offer_id, slug, created_at)
     select gen_random_uuid(), $1, $2, $3, 'many-' || n, now() from generate_series(1, 450) n`,
    [tenant_id, campaign_id, await on.offer()],
  );
  expect((await run()).counts).toMatchObject({ published: 450, more: 0 });
});

test('a database that is down is a report, not a crash', async () => {
  const env = { ...on.env, DB: { connectionString: 'postgres://x@127.0.0.1:1/none' } } as ApiEnv;
  expect(
    await runPublish(env, { clock: on.clock, random: { bytes: (n) => new Uint8Array(n) }, log: silent }),
  ).toMatchObject({ ok: false });
});
