import { expect, test } from 'vitest';
import { needsSecondProof, type PhoneHolder } from './recycled-phone.ts';

const NOW = Date.parse('2026-11-02T10:00:00Z');
const DAY = 86_400_000;
const holder: PhoneHolder = { userId: 'u', lastActiveAt: NOW - 200 * DAY, proofs: ['email'], isBlank: false };

test('who was away longer than the setting needs a second proof', () => {
  expect(needsSecondProof(holder, NOW, 180)).toBe(true);
  expect(needsSecondProof(holder, NOW, 365)).toBe(false);
  expect(needsSecondProof({ ...holder, lastActiveAt: NOW - 180 * DAY }, NOW, 180)).toBe(false);
  expect(needsSecondProof({ ...holder, lastActiveAt: NOW - 180 * DAY - 1 }, NOW, 180)).toBe(true);
});

test('an account that holds nothing, or that nobody was ever in, needs none', () => {
  expect(needsSecondProof({ ...holder, isBlank: true }, NOW, 180)).toBe(false);
  expect(needsSecondProof({ ...holder, lastActiveAt: null }, NOW, 180)).toBe(false);
});
