import { expect, test } from 'vitest';
import { assertSameOrigin } from './same-origin.ts';

const post = (headers: Record<string, string>) => () =>
  assertSameOrigin(new Request('https://hissaback.test/v1/auth/refresh', { method: 'POST', headers }));

test.each<[string, Record<string, string>]>([
  ['a page of the same origin', { origin: 'https://hissaback.test' }],
  ['a page of the same origin in a new browser', { origin: 'https://hissaback.test', 'sec-fetch-site': 'same-origin' }],
  ['a browser that says so without an origin', { 'sec-fetch-site': 'same-origin' }],
  ['a program with the custom header', { 'x-requested-with': 'curl' }],
])('%s passes', (_, headers) => {
  expect(post(headers)).not.toThrow();
});

test.each<[string, Record<string, string>]>([
  ['nothing said', {}],
  ['another origin', { origin: 'https://evil.test' }],
  ['another origin with the custom header', { origin: 'https://evil.test', 'x-requested-with': 'x' }],
  ['another scheme', { origin: 'http://hissaback.test' }],
  ['another port', { origin: 'https://hissaback.test:8443' }],
  ['a sibling host', { origin: 'https://shop.hissaback.test', 'sec-fetch-site': 'same-site' }],
  ['an opaque origin', { origin: 'null' }],
  ['a foreign page', { 'sec-fetch-site': 'cross-site', 'x-requested-with': 'x' }],
])('%s is refused', (_, headers) => {
  expect(post(headers)).toThrow('same origin');
});
