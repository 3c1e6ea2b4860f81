import { openDatabase } from '@hissaback/shared/db/client';
import { withTenant } from '@hissaback/shared/db/tenancy';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';
import { insertWithSlug } from './insert.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

/** Draws `2222222`, then `3333333`, and so on. */
function countingRandom() {
  let draw = -1;
  return {
    bytes: (length: number) => {
      draw++;
      return new Uint8Array(length).fill(draw);
    },
  };
}

async function insert(slug?: string) {
  const { tenant_id } = await on.tenant();
  const campaign_id = await on.campaign(tenant_id);
  const link = { link_id: on.uuid(), tenant_id, campaign_id, offer_id: await on.offer(), at: new Date(on.clock.now()) };
  const db = openDatabase(on.env.DB);
  try {
    return await withTenant(db, tenant_id, (tx) => insertWithSlug(tx, { ...link, slug }, countingRandom()));
  } finally {
    await db.end();
  }
}

test("a random slug that anybody's link has is drawn again", async () => {
  expect((await insert()).slug).toBe('2222222');
  expect((await insert()).slug).toBe('3333333');
  expect((await insert()).slug).toBe('4444444');
});

test('a slug that was asked for is never replaced by another', async () => {
  await insert('mine');
  await expect(insert('mine')).rejects.toMatchObject({ code: 'conflict' });
});
