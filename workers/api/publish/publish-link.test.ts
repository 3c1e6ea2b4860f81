import { openDatabase } from '@hissaback/shared/db/client';
import { linksToPublish } from '@hissaback/shared/db/queries/links';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';
import { publishLink } from './publish-link.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

async function link(slug: string) {
  const { tenant_id, token } = await on.tenant();
  const link_id = await on.link(tenant_id, { slug });
  const db = openDatabase(on.env.DB);
  const read = async () => (await db.transaction((tx) => linksToPublish(tx, { link_ids: [link_id] })))[0];
  const change = (status: string) =>
    on.sql('update links set status = $2, version = version + 1 where link_id = $1', [link_id, status]);
  return { tenant_id, token, link_id, db, read, change };
}

test('money rule 23: a publisher that is overtaken while it puts an old version puts the new one after it', async () => {
  const { link_id, db, read, change } = await link('overtaken');
  const old = await read();
  let overtaken = false;
  on.beforePut = async () => {
    if (overtaken) return;
    overtaken = true;
    await change('paused');
    // The faster one is done before the slow put of version 1 arrives.
    const faster = openDatabase(on.env.DB);
    const row = await read();
    if (row) await publishLink({ db: faster, links: on.env.LINKS }, row);
    await faster.end();
  };
  expect(old && (await publishLink({ db, links: on.env.LINKS }, old))).toBe(true);
  on.beforePut = async () => undefined;
  expect(on.copy('_/overtaken')).toMatchObject({ v: 2, s: 'paused' });
  const rows = await on.sql('select version, published_version from links where link_id = $1', [link_id]);
  expect(rows).toEqual([{ version: '2', published_version: '2' }]);
  await db.end();
});

test('a link that changes faster than it is copied is left to the sweep, marked as behind', async () => {
  const { link_id, db, read, change } = await link('restless');
  const row = await read();
  on.beforePut = async () => void (await change('active'));
  expect(row && (await publishLink({ db, links: on.env.LINKS }, row))).toBe(false);
  on.beforePut = async () => undefined;
  const [state] = await on.sql('select version > published_version as behind from links where link_id = $1', [link_id]);
  expect(state).toEqual({ behind: true });
  await db.end();
});
