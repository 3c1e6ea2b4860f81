import { expect, test } from 'vitest';
import { databaseUrls } from './database.ts';

const OWNER = 'postgres://hissaback:owner-password@127.0.0.1:8788/hissaback';

test('each worker connects to the owner’s database under its own role, never with the owner’s password', () => {
  const urls = databaseUrls(OWNER);
  expect(urls.owner).toBe(OWNER);
  for (const [name, role] of [
    ['api', 'hissaback_api'],
    ['webhook', 'hissaback_ingest'],
    ['payout', 'hissaback_payout'],
  ] as const) {
    const url = new URL(urls[name]);
    expect(url).toMatchObject({ username: role, host: '127.0.0.1:8788', pathname: '/hissaback' });
    expect(url.password).not.toContain('owner-password');
  }
  expect(new Set(Object.values(urls)).size).toBe(4);
});

test('a local server is asked without TLS, another keeps what its URL says', () => {
  expect(databaseUrls(OWNER).api).toContain('sslmode=disable');
  expect(databaseUrls('postgres://o:p@db.example/x?sslmode=require').api).toMatch(/\/x\?sslmode=require$/);
});

test('the roles’ passwords derive from the owner’s: two stacks on one server agree, two servers do not', () => {
  expect(databaseUrls(OWNER.replace('localhost', '127.0.0.1')).api).toBe(databaseUrls(OWNER).api);
  expect(databaseUrls(OWNER.replace('owner-password', 'owner%2Dpassword')).api).toBe(databaseUrls(OWNER).api);
  expect(databaseUrls(OWNER.replace('owner-password', 'other')).api).not.toBe(databaseUrls(OWNER).api);
});
