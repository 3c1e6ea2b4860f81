import { expect, it } from 'vitest';
import { preferredLanguage } from './accept-language.ts';

it.each([
  [undefined, 'en'],
  ['', 'en'],
  ['hi', 'hi'],
  ['hi-IN,hi;q=0.9,en;q=0.8', 'hi'],
  ['en-IN,en;q=0.9,hi;q=0.8', 'en'],
  ['en;q=0.5, HI;q=0.7', 'hi'],
  ['fr,de', 'en'],
  ['fr, hi;q=0.1', 'hi'],
  ['hi;q=0', 'en'],
  ['hi;q=2', 'en'],
  ['high', 'en'],
  [`${'x,'.repeat(300)}hi`, 'en'],
] as const)('%s: %s', (header, language) => expect(preferredLanguage(header, ['en', 'hi'])).toBe(language));
