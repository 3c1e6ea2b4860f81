import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { app, described } from '../openapi/app.fake.ts';
import { templateOf } from '../openapi/document.ts';

const env = {
  PUBLIC_LIMIT: { limit: async () => ({ success: true }) },
  CORS_ORIGINS: '',
  DB: { connectionString: '' },
};
const context = { waitUntil: () => undefined, passThroughOnException: () => undefined };

async function page(): Promise<{ text: string; headers: Headers }> {
  const answer = await app.fetch(new Request('https://hissaback.test/docs'), env as never, context as never);
  expect(answer.status).toBe(200);
  return { text: await answer.text(), headers: answer.headers };
}

test('the reference shows every operation', async () => {
  const { text } = await page();
  for (const { operation, path } of described) {
    expect(text).toContain(`<details id="${operation.id}">`);
    expect(text).toContain(`<code>${templateOf(path)}</code>`);
  }
});

test('it works offline: nothing is loaded from anywhere, no script runs, and its one style is the one the policy admits', async () => {
  const { text, headers } = await page();
  expect(text).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|\son\w+=|\sstyle=|src=/i);
  const style = /<style>([\s\S]*?)<\/style>/.exec(text)?.[1] ?? '';
  const hash = createHash('sha256').update(style).digest('base64');
  expect(headers.get('content-security-policy')).toContain(`style-src 'sha256-${hash}'`);
  expect(headers.get('content-security-policy')).toContain("default-src 'none'");
});

test('it can be read by everyone: a language, one h1, headings in order, a way past the navigation, unique ids', async () => {
  const { text } = await page();
  expect(text).toMatch(/^<!doctype html><html lang="en">/);
  expect(text).toContain('name="viewport" content="width=device-width,initial-scale=1"');
  const levels = [...text.matchAll(/<h([1-6])/g)].map(([, level]) => Number(level));
  expect(levels.filter((level) => level === 1)).toHaveLength(1);
  for (const [index, level] of levels.entries()) expect(level - (levels[index - 1] ?? 0)).toBeLessThanOrEqual(1);
  expect(text).toContain('<a class="skip" href="#reference">');
  const ids = [...text.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
  expect(ids).toEqual([...new Set(ids)]);
});
