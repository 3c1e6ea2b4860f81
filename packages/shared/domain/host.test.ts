import { expect, it } from 'vitest';
import { normalizeHost } from './host.ts';

it.each([
  ['Deals.Example', 'deals.example'],
  ['deals.example.', 'deals.example'],
  ['deals.example.:8443', 'deals.example'],
  ['localhost:8787', 'localhost'],
  ['[::1]:8787', '[::1]'],
  ['[::1]', '[::1]'],
])('%s is the host %s', (host, normalized) => {
  expect(normalizeHost(host)).toBe(normalized);
});
