import { expect, test } from 'vitest';
import { clientAddress, isLoopback, limitKey } from './client-address.ts';

const address = (value: string) => clientAddress(new Headers({ 'cf-connecting-ip': value }));

test.each([
  ['203.0.113.7', '203.0.113.7'],
  [' 203.0.113.7 ', '203.0.113.7'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['::FFFF:cb00:7107', '203.0.113.7'],
  ['::1', '::1'],
])('%s is the address %s', (text, expected) => {
  expect(address(text)).toBe(expected);
});

test.each([
  '',
  'x',
  '1.2.3',
  '1.2.3.4.5',
  '256.1.1.1',
  '1.2.3.4, 5.6.7.8',
  '0x7f000001',
  '2130706433',
  'fe80::1%eth0',
  ':::',
])('%o is no address', (text) => {
  expect(address(text)).toBeNull();
});

test('no header is no address', () => {
  expect(clientAddress(new Headers())).toBeNull();
});

test('the machine itself is told from everybody else', () => {
  for (const own of ['127.0.0.1', '127.8.9.1', '::1']) expect(isLoopback(own), own).toBe(true);
  for (const other of ['203.0.113.7', '2001:db8::1', '1127.0.0.1', null]) expect(isLoopback(other)).toBe(false);
});

test('limits count IPv4 by address and IPv6 by /64', () => {
  expect(limitKey('203.0.113.7')).toBe('203.0.113.7');
  expect(limitKey('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
  expect(limitKey('2001:db8:1:2::1')).toBe('2001:db8:1:2::/64');
  expect(limitKey('2001:db8:1:3::1')).not.toBe('2001:db8:1:2::/64');
  expect(limitKey(null)).toBe('unknown');
});
