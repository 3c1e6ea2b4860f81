import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ProblemError } from './problem.ts';
import { nameText, parseBody, parseQuery } from './validate.ts';

const schema = z.object({ name: nameText(10), count: z.int().optional() });

function post(value: unknown): Request {
  return new Request('https://hissaback.test/', {
    method: 'POST',
    body: typeof value === 'string' ? value : JSON.stringify(value),
    headers: { 'content-type': 'application/json' },
  });
}

async function fieldsOf(work: Promise<unknown>): Promise<string[]> {
  const error: unknown = await work.then(
    () => null,
    (problem: unknown) => problem,
  );
  expect(error).toBeInstanceOf(ProblemError);
  expect((error as ProblemError).code).toBe('invalid_field');
  return ((error as ProblemError).errors ?? []).map((entry) => entry.field);
}

describe('a body', () => {
  test('as described passes, its names trimmed', async () => {
    expect(await parseBody(schema, post({ name: '  Asha ', count: 3 }))).toEqual({ name: 'Asha', count: 3 });
  });

  test('names every field that is wrong', async () => {
    expect(await fieldsOf(parseBody(schema, post({ name: '', count: 1.5 })))).toEqual(['name', 'count']);
  });

  test.each([[], null, 3, 'text'])('that is no object (%o) is refused', async (value) => {
    await fieldsOf(parseBody(schema, post(JSON.stringify(value))));
  });

  test('with an unknown field is refused, also where the schema has refinements', async () => {
    expect(await fieldsOf(parseBody(schema, post({ name: 'a', role: 'admin', more: 1 })))).toEqual(['role', 'more']);
    const refined = schema.partial().refine((value) => Object.keys(value).length > 0);
    expect(await fieldsOf(parseBody(refined, post({ role: 'admin' })))).toContain('role');
    await fieldsOf(parseBody(refined, post({})));
  });

  test('with __proto__ or constructor as a field gains nothing by it', async () => {
    const text = '{"name":"a","__proto__":{"count":7},"constructor":{"prototype":{"admin":true}}}';
    const parsed: unknown = await parseBody(schema, post(text)).catch((error: unknown) => error);
    if (!(parsed instanceof ProblemError)) expect((parsed as { count?: number }).count).toBeUndefined();
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  test('with very many faults lists a bounded number of them, with bounded names', async () => {
    const body = Object.fromEntries(Array.from({ length: 500 }, (_, index) => ['k'.repeat(500) + index, 1]));
    const fields = await fieldsOf(parseBody(schema, post({ name: 'a', ...body }), { maxBytes: 1_000_000 }));
    expect(fields.length).toBeLessThanOrEqual(20);
    expect(Math.max(...fields.map((field) => field.length))).toBeLessThanOrEqual(101);
  });
});

test.each(['a\u0000b', 'a\nb', 'a\tb', 'a\u202eb', 'a\u200bb', 'a\u2028b', '\ud800', '   ', '\u200d', '\ue000'])(
  'the name %o is refused',
  (name) => {
    expect(nameText(10).safeParse(name).success).toBe(false);
  },
);

test.each(['Asha', 'आशा की दुकान', "O'Neil & Söhne", '喫茶店', 'क्‍षमा', '👨‍👩‍👧 shop', '🛍️ Deals'])(
  'the name %o is accepted',
  (name) => {
    expect(nameText(40).safeParse(name).success).toBe(true);
  },
);

describe('a query', () => {
  const query = z.object({ tenant_id: z.string(), period: z.string().default('30d') });

  test('is read with its defaults and without what is unknown', () => {
    expect(parseQuery(query, 'https://h.test/?tenant_id=1&utm_source=x')).toEqual({ tenant_id: '1', period: '30d' });
  });

  test('with a parameter given twice is refused', () => {
    expect(() => parseQuery(query, 'https://h.test/?tenant_id=1&tenant_id=2')).toThrow(ProblemError);
  });

  test('with __proto__ as a parameter gains nothing by it', () => {
    expect(() => parseQuery(query, 'https://h.test/?__proto__=1')).toThrow(ProblemError);
  });
});
