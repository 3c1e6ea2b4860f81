import { expect, test } from 'vitest';
import { resolve } from './dns.ts';

const ENDPOINT = 'https://resolver.test/dns-query';

function answering(body: unknown, status = 200) {
  const asked: URL[] = [];
  const resolver = {
    endpoint: ENDPOINT,
    fetch: async (input: URL) => {
      asked.push(input);
      return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status });
    },
  };
  return { asked, resolver };
}

test('the records of the type that was asked for are answered, the pieces of a TXT record joined', async () => {
  const { asked, resolver } = answering({
    Status: 0,
    Answer: [
      { type: 16, data: '"hissaback=abc" "def"' },
      { type: 5, data: 'alias.example.' },
      { type: 16, data: 'bare' },
      { type: 16, data: '"a \\"quoted\\" word"' },
    ],
  });
  expect(await resolve(resolver, '_hissaback.go.example', 'TXT')).toEqual([
    'hissaback=abcdef',
    'bare',
    'a "quoted" word',
  ]);
  expect(asked[0]?.href).toBe(`${ENDPOINT}?name=_hissaback.go.example&type=TXT`);
});

test('a name that does not exist, or has none of the type, has no records', async () => {
  expect(await resolve(answering({ Status: 3 }).resolver, 'x.example', 'A')).toEqual([]);
  expect(await resolve(answering({ Status: 0 }).resolver, 'x.example', 'A')).toEqual([]);
});

test.each([[{ Status: 2 }], ['not json'], [[]], ['null'], [`"${'x'.repeat(70_000)}"`]])(
  'an answer that says nothing (%#) is null, not "no record"',
  async (body) => {
    expect(await resolve(answering(body).resolver, 'x.example', 'TXT')).toBeNull();
  },
);

test('a resolver that fails, refuses or is not there is null', async () => {
  expect(await resolve(answering({ Status: 0 }, 500).resolver, 'x.example', 'TXT')).toBeNull();
  const broken = { endpoint: ENDPOINT, fetch: () => Promise.reject(new TypeError('network')) };
  expect(await resolve(broken, 'x.example', 'TXT')).toBeNull();
  const none = { endpoint: '', fetch: () => Promise.reject(new Error('asked')) };
  expect(await resolve(none, 'x.example', 'TXT')).toBeNull();
});
