import type { Dice } from './dice.ts';

const NIL = '00000000-0000-0000-0000-000000000000';

/** Texts that have broken something somewhere. */
export const TEXTS: readonly string[] = [
  '',
  ' ',
  '\t\n',
  'x'.repeat(129),
  'x'.repeat(5_000),
  'é'.repeat(3_000),
  '𝒳𝒴𝒵',
  '👨‍👩‍👧‍👦'.repeat(40),
  '\u0000',
  'a\u0000b',
  'a\u0007\u001b[31mb',
  'a\r\nSet-Cookie: x=1',
  '\u202egnirts',
  '\u200b\u200b\u200b',
  '\ufeffname',
  '\ud800',
  'a\udfffb',
  'Ａｄｍｉｎ',
  '١٢٣',
  'ﷺ'.repeat(50),
  "' or 1=1 --",
  "'; drop table users; --",
  '\\',
  '"',
  '%',
  '%s%n%x',
  '%00',
  '$1',
  '{{7*7}}',
  '<script>alert(1)</script>',
  '../../../etc/passwd',
  'javascript:alert(1)',
  'data:text/html,x',
  'https://user:pw@host.example/',
  'http://[::1]:1/',
  'http://169.254.169.254/latest/',
  `https://${'a.'.repeat(600)}example/`,
  '__proto__',
  'constructor',
  'toString',
  'null',
  'undefined',
  'true',
  'NaN',
  'Infinity',
  '-1',
  '0',
  '00',
  '+1',
  '1.0',
  '1e3',
  '1e999',
  '0x10',
  '1,5',
  '99999999999999999999999999',
  '9223372036854775808',
  '2147483648',
  '100.001',
  '-0.01',
  '2026-02-30T00:00:00Z',
  '2026-06-30T23:59:60Z',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999999999Z',
  '+275760-09-13T00:00:00.000Z',
  '2026-01-01',
  '2026-01-01T00:00:00+99:99',
  NIL,
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  `{${NIL}}`,
  NIL.replaceAll('-', ''),
  `${NIL}x`,
  '+919876543210',
  '+91 98765 43210',
  '+9199999999999999999999',
  'someone@example.com',
  'a@b',
  'IN',
  'inr',
  '30d',
  '0d',
  'MA',
  'gAAAA',
  'A'.repeat(256),
];

const NUMBERS: readonly number[] = [
  0,
  -0,
  -1,
  1,
  1.5,
  0.1 + 0.2,
  100.001,
  101,
  1e21,
  1e308,
  -1e308,
  5e-324,
  2 ** 31,
  2 ** 31 - 1,
  -(2 ** 31) - 1,
  2 ** 53,
  2 ** 63,
];

/** Any value of JSON that a field may not expect; `ids` are those of things of every kind. */
export function hostileValue(roll: Dice, ids: readonly string[]): unknown {
  switch (roll.int(10)) {
    case 0:
      return null;
    case 1:
      return roll.pick([true, false]);
    case 2:
    case 3:
      return roll.pick(NUMBERS);
    case 4:
      return roll.pick([[], [null], [[]], ['x'], Array(200).fill(0), [{}], [NIL, NIL]]);
    case 5:
      return roll.pick([{}, { a: 1 }, { '': '' }, { toString: 1 }, { length: -1 }, nested(8), nested(40)]);
    case 6:
      return roll.pick(ids);
    default:
      return roll.pick(TEXTS);
  }
}

/** A value in a query or a path. */
export function hostileText(roll: Dice, ids: readonly string[]): string {
  return roll.happens(0.2) ? roll.pick(ids) : roll.pick(TEXTS);
}

function nested(depth: number): unknown {
  let value: unknown = 'x';
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

const JSON_TYPE = 'application/json';

/** A whole body that is no JSON object, or is one in a way nobody should rely on; with its content type. */
export function hostileBody(roll: Dice, json: string): { body: string | Uint8Array<ArrayBuffer>; type: string } {
  return roll.pick<() => { body: string | Uint8Array<ArrayBuffer>; type: string }>([
    () => ({ body: '', type: JSON_TYPE }),
    () => ({
      body: roll.pick(['null', '[]', '7', '"x"', 'true', '{', '}', '{"a":', '{"a":1,}', "{'a':1}", '﻿{}']),
      type: JSON_TYPE,
    }),
    () => ({ body: json.slice(0, Math.max(1, roll.int(json.length))), type: JSON_TYPE }),
    () => ({ body: `${json}${json}`, type: JSON_TYPE }),
    () => ({ body: `{"__proto__":{"role":"operator"},${json.slice(1)}`, type: JSON_TYPE }),
    () => ({ body: json.replace('{', '{"constructor":{"prototype":{"x":1}},'), type: JSON_TYPE }),
    () => ({ body: json.replace(/:("[^"]*"|\d+)/, ':1e999'), type: JSON_TYPE }),
    () => ({ body: json.replace(/:("[^"]*"|\d+)/, `:${'9'.repeat(400)}`), type: JSON_TYPE }),
    () => ({ body: json.replace(/:"[^"]*"/, ':"\\ud800"'), type: JSON_TYPE }),
    () => ({ body: `${'['.repeat(5_000)}${']'.repeat(5_000)}`, type: JSON_TYPE }),
    () => ({ body: `{"a":"${'x'.repeat(70_000)}"}`, type: JSON_TYPE }),
    () => ({ body: `{${Array.from({ length: 2_000 }, (_, index) => `"k${index}":0`).join(',')}}`, type: JSON_TYPE }),
    () => ({ body: new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), type: JSON_TYPE }),
    () => ({ body: new Uint8Array([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]), type: JSON_TYPE }),
    () => ({ body: new Uint8Array([0x1f, 0x8b, 0x08, 0x00]), type: JSON_TYPE }),
    () => ({
      body: json,
      type: roll.pick([
        'text/plain',
        'application/x-www-form-urlencoded',
        'multipart/form-data',
        'application/json; charset=utf-16',
        'application/jsonp',
        'text/json',
        '*/*',
        ';',
        'x'.repeat(2_000),
      ]),
    }),
    () => ({ body: 'a=1&b=2', type: 'application/x-www-form-urlencoded' }),
    () => ({
      body: '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--',
      type: 'multipart/form-data; boundary=x',
    }),
  ])();
}

/** A header that is none of the request's business, or far too much of it. */
export function hostileHeader(roll: Dice): [name: string, value: string] {
  return roll.pick<[string, string]>([
    ['x-request-id', 'x'.repeat(500)],
    ['x-request-id', "'; drop table users; --"],
    ['if-none-match', '"x",'.repeat(500)],
    ['if-none-match', '*'],
    ['idempotency-key', 'x'.repeat(256)],
    ['idempotency-key', 'a b'],
    ['idempotency-key', "'; drop table users; --"],
    ['origin', 'null'],
    ['origin', 'https://evil.example'],
    ['origin', 'x'.repeat(3_000)],
    ['referer', `https://${'a'.repeat(4_000)}.example/`],
    ['referer', 'not a url'],
    ['user-agent', 'x'.repeat(6_000)],
    ['user-agent', ''],
    ['cookie', `hb_v=${'x'.repeat(3_000)}`],
    ['cookie', '__Host-hb_refresh=x; __Host-hb_refresh=y; hb_v=%00'],
    ['cookie', ';;;==='],
    ['cf-connecting-ip', 'nobody'],
    ['cf-connecting-ip', '999.1.1.1'],
    ['cf-connecting-ip', 'fe80::1%eth0'],
    ['cf-ipcountry', 'T1'],
    ['cf-ipcountry', "' or 1"],
    ['x-forwarded-for', '127.0.0.1, ::1'],
    ['x-http-method-override', 'DELETE'],
    ['x-requested-with', 'XMLHttpRequest'],
    ['accept', 'x'.repeat(2_000)],
    ['accept-language', '*;q=0,xx-'.repeat(200)],
    ['range', 'bytes=5-1'],
    ['sec-gpc', '1'],
    ['content-encoding', 'gzip'],
    ['transfer-coding', 'chunked'],
    ['x-huge', 'x'.repeat(12_000)],
  ]);
}
