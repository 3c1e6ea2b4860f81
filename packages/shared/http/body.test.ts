import { describe, expect, test } from 'vitest';
import { MAX_JSON_DEPTH, readBytes, readJson } from './body.ts';
import { ProblemError } from './problem.ts';

const URL = 'https://hissaback.test/';

function post(body: BodyInit, headers: Record<string, string> = { 'content-type': 'application/json' }): Request {
  return new Request(URL, { method: 'POST', body, headers, duplex: 'half' } as RequestInit);
}

function streamed(chunks: readonly string[], onCancel?: () => void): ReadableStream<Uint8Array> {
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      const chunk = chunks[next++];
      if (chunk === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(chunk));
    },
    ...(onCancel && { cancel: onCancel }),
  });
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'ok',
    (error: unknown) => (error instanceof ProblemError ? error.code : 'other'),
  );
}

describe('the size of a body', () => {
  test('may be the limit, not a byte more', async () => {
    expect((await readBytes(post('x'.repeat(100)), { maxBytes: 100 })).length).toBe(100);
    expect(await codeOf(readBytes(post('x'.repeat(101)), { maxBytes: 100 }))).toBe('body_too_large');
  });

  test('is measured while it streams, without Content-Length', async () => {
    expect((await readBytes(post(streamed(['x'.repeat(60), 'x'.repeat(40)])), { maxBytes: 100 })).length).toBe(100);
    let cancelled = false;
    const endless = streamed(
      Array.from({ length: 1_000 }, () => 'x'.repeat(60)),
      () => {
        cancelled = true;
      },
    );
    expect(await codeOf(readBytes(post(endless), { maxBytes: 100 }))).toBe('body_too_large');
    expect(cancelled).toBe(true);
  });

  test('that is declared too large is refused before reading', async () => {
    const request = post(streamed([]), { 'content-type': 'application/json', 'content-length': '101' });
    expect(await codeOf(readBytes(request, { maxBytes: 100 }))).toBe('body_too_large');
  });
});

describe('the content type', () => {
  test.each([
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON;charset="UTF-8"',
    'application/merge-patch+json',
  ])('%s is JSON', async (type) => {
    expect(await readJson(post('{}', { 'content-type': type }))).toEqual({});
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/json; charset=utf-16',
    'application/jsonp',
    '',
  ])('%o is refused with 415', async (type) => {
    expect(await codeOf(readJson(post('{}', { 'content-type': type })))).toBe('unsupported_media_type');
  });
});

describe('JSON', () => {
  test.each(['', '{', '{"a":1}x', "{'a':1}", 'NaN', '\u0000'])('%o is malformed', async (text) => {
    expect(await codeOf(readJson(post(text)))).toBe('malformed_json');
  });

  test('that is not UTF-8 is malformed', async () => {
    expect(await codeOf(readJson(post(new Uint8Array([0x22, 0xc3, 0x28, 0x22]))))).toBe('malformed_json');
  });

  test('may be nested to the limit, not deeper', async () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(await codeOf(readJson(post(nested(MAX_JSON_DEPTH))))).toBe('ok');
    expect(await codeOf(readJson(post(nested(MAX_JSON_DEPTH + 1))))).toBe('malformed_json');
    expect(await codeOf(readJson(post('['.repeat(60_000))))).toBe('malformed_json');
  });

  test('does not count brackets within strings', async () => {
    const text = JSON.stringify({ text: '[{"\\'.repeat(100) });
    expect(await readJson(post(text))).toEqual(JSON.parse(text));
  });

  test('with __proto__, even twice, changes no prototype', async () => {
    const value = await readJson(post('{"__proto__":{"admin":true},"__proto__":{"admin":true}}'));
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect((value as { admin?: boolean }).admin).toBeUndefined();
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });
});
