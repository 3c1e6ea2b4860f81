import { expect, test } from 'vitest';
import { imageTypeNamed, imageTypeOf } from './image-type.ts';

const bytes = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

test.each([
  ['\x89PNG\r\n\x1a\n\0\0\0\rIHDR....', 'image/png'],
  ['\xff\xd8\xff\xe0..', 'image/jpeg'],
  ['RIFF....WEBPVP8 ', 'image/webp'],
])('%j is known by its bytes', (text, mediaType) => {
  expect(imageTypeOf(bytes(text))?.mediaType).toBe(mediaType);
});

test.each([
  '',
  '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
  '<?xml version="1.0"?><svg/>',
  '<html>',
  'GIF89a..........',
  '\x89PNG\r\n\x1a\n',
  'RIFF....WAVE',
  '\xff\xd8\xff',
  '%PDF-1.7',
])('%j is no image of ours', (text) => {
  expect(imageTypeOf(bytes(text))).toBeNull();
});

test('an ending names a type only if we write it', () => {
  expect([imageTypeNamed('png'), imageTypeNamed('jpg'), imageTypeNamed('svg'), imageTypeNamed('toString')]).toEqual([
    'image/png',
    'image/jpeg',
    null,
    null,
  ]);
});
