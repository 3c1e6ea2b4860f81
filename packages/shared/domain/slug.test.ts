import { expect, test } from 'vitest';
import { seededRandom } from './chance.fake.ts';
import { isReservedSlug, mintSlug } from './slug.ts';

test('random slugs are 7 letters and digits that nobody mistakes for another, none favoured', () => {
  const random = seededRandom(3);
  const counts = new Map<string, number>();
  for (let n = 0; n < 8_000; n++) {
    const slug = mintSlug(random);
    expect(slug).toMatch(/^[2-9a-hijkmnp-zA-HJ-NP-Z]{7}$/);
    for (const letter of slug) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  }
  expect(counts.size).toBe(56);
  // 1,000 of each are expected; a favoured letter would come 1,250 times.
  for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(160);
});

test('what a page or the API answers at is reserved, in whatever capitals; what only begins so is not', () => {
  for (const slug of [
    'v1',
    'admin',
    'Admin',
    'creator',
    'c',
    'docs',
    'widget',
    'assets',
    'healthz',
    'cdn-cgi',
    '__cron',
  ]) {
    expect(isReservedSlug(slug)).toBe(true);
  }
  for (const slug of ['adminton', 'creators', 'cheap', 'v10', 'diwali']) expect(isReservedSlug(slug)).toBe(false);
});
