import { expect, test } from 'vitest';
import { parseKeyring } from './keyring.ts';
import { financialYearStart, hashPan, isPanOf, normalizePan } from './kyc.ts';

const older = `1:${'A'.repeat(43)}`;
const newer = `2:${'B'.repeat(42)}A`;

test.each([
  ['ABCPE1234F', 'ABCPE1234F'],
  [' abcpe 1234-f ', 'ABCPE1234F'],
  ['ABCXE1234F', null], // no such kind of holder
  ['ABCPE1234', null],
  ['ABCPE12345', null],
  ['ABCPE1234FF', null],
  ['АBCPE1234F', null], // a Cyrillic A
  ['', null],
])('the PAN %o is %o', (text, pan) => {
  expect(normalizePan(text)).toBe(pan);
});

test('the hash does not show the PAN, is compared by key, and survives a rotation', async () => {
  const hash = await hashPan(parseKeyring(older, 'KYC_KEYS'), 'ABCPE1234F');
  expect(hash).toMatch(/^1\.[\w-]{43}$/);
  const rotated = parseKeyring(`${newer},${older}`, 'KYC_KEYS');
  expect(await isPanOf(rotated, 'ABCPE1234F', hash)).toBe(true);
  expect(await isPanOf(rotated, 'ABCPE1234G', hash)).toBe(false);
  expect(await isPanOf(parseKeyring(newer, 'KYC_KEYS'), 'ABCPE1234F', hash)).toBe(false);
  expect(await hashPan(rotated, 'ABCPE1234F')).not.toBe(hash);
  for (const junk of ['', '1', '1.', 'x.y', `9.${hash.slice(2)}`]) {
    expect(await isPanOf(rotated, 'ABCPE1234F', junk)).toBe(false);
  }
});

test.each([
  ['2026-11-02T10:00:00Z', '2026-03-31T18:30:00.000Z'],
  ['2026-03-31T18:30:00Z', '2026-03-31T18:30:00.000Z'],
  ['2026-03-31T18:29:59Z', '2025-03-31T18:30:00.000Z'],
  ['2026-01-01T00:00:00Z', '2025-03-31T18:30:00.000Z'],
])('the financial year around %s began at %s', (now, start) => {
  expect(new Date(financialYearStart(Date.parse(now))).toISOString()).toBe(start);
});
