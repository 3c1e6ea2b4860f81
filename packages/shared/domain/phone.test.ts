import { expect, test } from 'vitest';
import { parseCountries, parsePhone } from './phone.ts';

const INDIA = parseCountries('IN');

test.each([
  ['+919876543210', '+919876543210'],
  ['+91 98765 43210', '+919876543210'],
  ['+91-98765-43210', '+919876543210'],
  ['9876543210', '+919876543210'],
  ['09876543210', '+919876543210'],
  ['919876543210', '+919876543210'],
  ['+91 (98765) 43210', '+919876543210'],
  ['+916000000001', '+916000000001'],
  ['+917012345678', '+917012345678'],
  ['+918112345678', '+918112345678'],
])('%s is %s', (text, e164) => {
  expect(parsePhone(text, INDIA)).toEqual({ ok: true, e164, country: 'IN' });
});

test.each([
  ['', 'malformed'],
  ['phone', 'malformed'],
  ['+91', 'malformed'],
  ['+91987654321', 'malformed'],
  ['+9198765432100', 'malformed'],
  ['+915876543210', 'not_mobile'],
  ['call +919876543210 now', 'malformed'],
  ['+919876543210 ext. 5', 'malformed'],
  ['+919876543210;ext=5', 'malformed'],
  ['tel:+919876543210', 'malformed'],
  ['+919876543210\u0000', 'malformed'],
  ['+'.repeat(10), 'malformed'],
  ['9'.repeat(5_000), 'malformed'],
  ['+912222222222', 'not_mobile'],
  ['+912212345678', 'malformed'],
  ['+9118001234567', 'not_mobile'],
  ['18001234567', 'not_mobile'],
  ['+14155550100', 'country'],
  ['+447911123456', 'country'],
  ['+971501234567', 'country'],
])('%o is refused as %s', (text, reason) => {
  expect(parsePhone(text, INDIA)).toEqual({ ok: false, reason });
});

test('other countries can be let in, the first is the home of numbers without a code', () => {
  const countries = parseCountries('IN, ae');
  expect(parsePhone('+971501234567', countries)).toEqual({ ok: true, e164: '+971501234567', country: 'AE' });
  expect(parsePhone('9876543210', countries)).toMatchObject({ e164: '+919876543210' });
});

test.each(['', 'XX', 'IN,,', 'India'])('the country list %o is refused', (text) => {
  expect(() => parseCountries(text)).toThrow(RangeError);
});
