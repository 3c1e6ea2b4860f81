import { normalizeHost } from '@hissaback/shared/domain/host';
import { describe, expect, it } from 'vitest';
import { readAddress } from './address.ts';

describe('the address of a smart link', () => {
  it.each([
    ['https://hissaback.test/demo', { host: 'hissaback.test', slug: 'demo', query: '', secure: true }],
    ['http://hissaback.test:8787/De-mo_1?sub=a&x', { host: 'hissaback.test', slug: 'De-mo_1', query: 'sub=a&x' }],
    ['https://HISSABACK.test./demo?', { host: 'hissaback.test', slug: 'demo', query: '' }],
    ['https://hissaback.test/demo?a=%20b#c?d', { host: 'hissaback.test', slug: 'demo', query: 'a=%20b' }],
    ['https://hissaback.test/a/../demo', { host: 'hissaback.test', slug: 'demo', query: '' }],
    ['https://me:pass@hissaback.test/demo', { host: 'hissaback.test', slug: 'demo', query: '' }],
    ['https://xn--80ak6aa92e.test/demo', { host: 'xn--80ak6aa92e.test', slug: 'demo', query: '' }],
  ])('%s', (url, address) => {
    expect(readAddress(url)).toMatchObject(address);
    // Written plainly or not, it says what the URL standard reads in it.
    const standard = new URL(url);
    const { host, slug, query, secure } = readAddress(url) ?? {};
    expect([host, `/${slug}`, query, secure]).toEqual([
      normalizeHost(standard.hostname),
      standard.pathname,
      standard.search.slice(1),
      standard.protocol === 'https:',
    ]);
  });

  it.each([
    'https://hissaback.test/',
    'https://hissaback.test/a/b',
    'https://hissaback.test/demo/',
    'https://hissaback.test/de%6do',
    `https://hissaback.test/${'s'.repeat(65)}`,
    `https://${'h'.repeat(60)}.${'h'.repeat(60)}.${'h'.repeat(60)}.${'h'.repeat(60)}.${'h'.repeat(60)}/demo`,
  ])('%s is none', (url) => {
    expect(readAddress(url)).toBeNull();
  });
});
