import { inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { qrPng, qrSvg } from './qr-image.ts';

const MODULES = [
  [true, true, false],
  [false, true, false],
  [true, false, true],
];

test('an SVG draws every dark run of a row once, on white', () => {
  const svg = qrSvg(MODULES);
  expect(svg).toContain('viewBox="0 0 3 3"');
  expect(svg).toContain('d="M0 0h2v1h-2zM1 1h1v1h-1zM0 2h1v1h-1zM2 2h1v1h-1z"');
});

/** Reads a PNG of one bit a pixel back, checking the sums of its chunks by their own reader. */
function read(png: Uint8Array): { side: number; dark: boolean[][] } {
  const buffer = Buffer.from(png);
  expect(buffer.subarray(1, 4).toString()).toBe('PNG');
  const side = buffer.readUInt32BE(16);
  expect([buffer.readUInt32BE(20), buffer[24], buffer[25]]).toEqual([side, 1, 0]);
  const length = buffer.readUInt32BE(33);
  const pixels = inflateSync(buffer.subarray(41, 41 + length));
  const stride = 1 + Math.ceil(side / 8);
  const dark = Array.from({ length: side }, (_, y) =>
    Array.from({ length: side }, (_, x) => ((pixels[y * stride + 1 + (x >> 3)] ?? 0) & (0x80 >> (x & 7))) === 0),
  );
  return { side, dark };
}

test('a PNG holds each module as whole pixels, as many as fit', async () => {
  const { side, dark } = read(await qrPng(MODULES, 20));
  expect(side).toBe(18);
  for (const [y, row] of dark.entries()) {
    for (const [x, isDark] of row.entries()) expect(isDark).toBe(MODULES[Math.floor(y / 6)]?.[Math.floor(x / 6)]);
  }
  expect(read(await qrPng(MODULES, 1)).side).toBe(3);
});

test("the end of a PNG is the same in every one: its sum is the specification's", async () => {
  const png = await qrPng(MODULES, 3);
  expect(Buffer.from(png.subarray(-12)).toString('hex')).toBe('0000000049454e44ae426082');
});
