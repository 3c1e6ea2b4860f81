import { routeAt } from '@hissaback/shared/http/routes';
import { expect, test } from 'vitest';
import { app, described, openApi, registered } from './app.fake.ts';
import { isApiPath } from './described-route.ts';

type Described = { operationId: string; security: unknown[]; description: string; parameters?: { name: string }[] };
const { paths } = openApi as { paths: Record<string, Record<string, Described>> };
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
);
const ofWebhook = (path: string) => path === '/v1/events/conversion';

test('every route of the API is described', () => {
  const undescribed = registered
    .filter(({ path, facts }) => isApiPath(path) && facts.operation === undefined)
    .map(({ method, path }) => `${method} ${path}`);
  expect(undescribed).toEqual([]);
});

test('every described route is there', () => {
  const missing = operations.filter(
    ({ path, method }) => !ofWebhook(path) && routeAt(app, method, path.replace(/\{(\w+)\}/g, 'x')) === null,
  );
  expect(missing.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  expect(operations.filter(({ path }) => ofWebhook(path)).map(({ method }) => method)).toEqual(['GET', 'POST']);
});

test("the spec's ten endpoints are among them", () => {
  const names = operations.map(({ method, path }) => `${method} ${path}`);
  for (const name of [
    'POST /v1/auth/otp/request',
    'POST /v1/auth/otp/verify',
    'GET /v1/offers',
    'POST /v1/campaigns',
    'POST /v1/links',
    'GET /v1/analytics/creator',
    'POST /v1/events/click',
    'POST /v1/events/conversion',
    'POST /v1/rewards/payout/run',
    'GET /v1/rewards/user',
  ])
    expect(names).toContain(name);
});

test('operation ids are unique', () => {
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(ids).toEqual([...new Set(ids)]);
});

test('an operation is public exactly if its route asks for no token, and then says `security: []`', () => {
  for (const { path, method, operation } of operations.filter((each) => !ofWebhook(each.path))) {
    const route = described.find((each) => each.method === method && each.path.replace(/:(\w+)/g, '{$1}') === path);
    const isPublic = operation.security.length === 0;
    expect(isPublic, `${method} ${path}`).toBe(route?.access.kind === 'public');
  }
  const open = operations.filter(({ operation }) => operation.security.length === 0).map(({ path }) => path);
  expect(open).toContain('/v1/auth/otp/request');
  expect(open).not.toContain('/v1/campaigns');
});

/** POSTs behind a token that take no key, and why. */
const REPEATED = new Map([
  ['/v1/rewards/payout/run', 'a run claims its work row by row'],
  ['/v1/payouts/{payout_id}/voucher', 'its answer may not be kept'],
  ['/v1/reconciliation/imports', 'the file is not read here, and its rows are known the second time'],
]);

test('every POST behind a token that is no login takes an Idempotency-Key', () => {
  for (const { method, path, operation } of operations) {
    const takes = operation.parameters?.some(({ name }) => name === 'Idempotency-Key') ?? false;
    const expected =
      method === 'POST' &&
      operation.security.some((scheme) => 'token' in (scheme as object)) &&
      !path.startsWith('/v1/auth/') &&
      !REPEATED.has(path);
    expect(takes, `${method} ${path}`).toBe(expected);
  }
});
