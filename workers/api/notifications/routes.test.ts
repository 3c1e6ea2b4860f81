import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

const ALL = { tracked: true, confirmed: true, paid: true, reversed: true };
const PATH = '/v1/me/notifications';

test('everything is on until a shopper switches it off, each kind by itself', async () => {
  const [{ token }, other] = [await on.user(), await on.user()];
  expect((await on.call('GET', PATH, { token })).json).toEqual(ALL);
  const change = (json: unknown) => on.call('PATCH', PATH, { token, json });
  expect((await change({ tracked: false })).json).toEqual({ ...ALL, tracked: false });
  expect((await change({ paid: false, tracked: true })).json).toEqual({ ...ALL, paid: false });
  expect((await on.call('GET', PATH, { token })).json).toEqual({ ...ALL, paid: false });
  expect((await on.call('GET', PATH, { token: other.token })).json).toEqual(ALL);
});

test('codes and vouchers cannot be switched off', async () => {
  const { token } = await on.user();
  for (const json of [{}, { otp: false }, { voucher: false }, { paid: 'no' }]) {
    expect((await on.call('PATCH', PATH, { token, json })).status).toBe(422);
  }
});
