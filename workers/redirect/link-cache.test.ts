import { fixedClock } from '@hissaback/shared/domain/chance.fake';
import { describe, expect, it } from 'vitest';
import { LinkCache } from './link-cache.ts';
import { LINK, locationOf, NOW, stage } from './stage.fake.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

describe('the cache in the isolate', () => {
  it('reads a link once in 30 seconds', async () => {
    const on = stage();
    await on.publish({});
    for (let click = 0; click < 5; click++) await on.follow('/demo', { method: 'HEAD' });
    expect(on.reads()).toBe(1);
    on.clock.advance(30 * SECOND);
    await on.follow('/demo', { method: 'HEAD' });
    expect(on.reads()).toBe(2);
  });

  it('shows a change after 30 seconds', async () => {
    const on = stage();
    await on.publish({});
    await on.follow('/demo');
    await on.publish({ v: 2, s: 'paused' });
    on.clock.advance(30 * SECOND);
    expect((await on.follow('/demo')).status).toBe(410);
  });

  it('never remembers that a slug is missing', async () => {
    const on = stage();
    expect((await on.follow('/demo')).status).toBe(404);
    await on.publish({});
    expect((await on.follow('/demo')).status).toBe(302);
  });

  it('forgets a link that was removed', async () => {
    const on = stage();
    await on.publish({});
    await on.follow('/demo');
    await on.remove('demo');
    on.clock.advance(30 * SECOND);
    expect((await on.follow('/demo')).status).toBe(404);
  });

  it('keeps no more than 2,000 links', async () => {
    const cache = new LinkCache(fixedClock(NOW));
    let reads = 0;
    const read = async () => {
      reads++;
      return JSON.stringify(LINK);
    };
    for (let n = 0; n <= 2_000; n++) await cache.find(`_/${n}`, read);
    await cache.find('_/2000', read);
    expect(reads).toBe(2_001);
    await cache.find('_/0', read);
    expect(reads).toBe(2_002);
  });

  it('lets one request read again while the others use what there is', async () => {
    const clock = fixedClock(NOW);
    const cache = new LinkCache(clock);
    let reads = 0;
    let release = (_: string) => {};
    const read = () => {
      reads++;
      return new Promise<string>((resolve) => {
        release = resolve;
      });
    };
    const first = cache.find('_/demo', read);
    release(JSON.stringify(LINK));
    await first;
    clock.advance(30 * SECOND);
    const refreshing = cache.find('_/demo', read);
    expect((await cache.find('_/demo', read)).state).toBe('found');
    release(JSON.stringify(LINK));
    expect((await refreshing).state).toBe('found');
    expect(reads).toBe(2);
  });
});

describe('when KV is down', () => {
  it('a link this isolate has seen still redirects and counts, for ten minutes', async () => {
    const on = stage();
    await on.publish({});
    await on.follow('/demo');
    on.failing.kv = Number.POSITIVE_INFINITY;
    on.clock.advance(10 * MINUTE);
    expect(locationOf(await on.follow('/demo')).host).toBe('demo.gotrackier.com');
    expect(on.clicks).toHaveLength(2);
    on.clock.advance(2 * SECOND);
    expect((await on.follow('/demo')).status).toBe(503);
  });

  it('another link is a friendly 503 with Retry-After', async () => {
    const on = stage();
    await on.publish({});
    on.failing.kv = 1;
    const answer = await on.follow('/demo');
    expect(answer.status).toBe(503);
    expect(answer.headers.get('Retry-After')).toBe('5');
    expect(await answer.text()).toContain('try again');
    expect((await on.follow('/demo')).status).toBe(302);
  });

  it('a read that never answers is given up', async () => {
    const cache = new LinkCache(fixedClock(NOW));
    expect(await cache.find('_/demo', () => new Promise(() => {}))).toEqual({ state: 'unavailable' });
  });

  it('an expired link stays expired on a stale copy', async () => {
    const on = stage();
    await on.publish({ x: NOW + MINUTE });
    await on.follow('/demo');
    on.failing.kv = 1;
    on.clock.advance(2 * MINUTE);
    expect((await on.follow('/demo')).status).toBe(410);
  });
});

it('a damaged value is 503, and the copy seen before it goes on working', async () => {
  const on = stage();
  await on.publish({ u: 'javascript:alert(1)' });
  expect((await on.follow('/demo')).status).toBe(503);
  await on.publish({});
  expect((await on.follow('/demo')).status).toBe(302);
  await on.publish({ u: 'ftp://elsewhere' });
  on.clock.advance(30 * SECOND);
  expect(locationOf(await on.follow('/demo')).host).toBe('demo.gotrackier.com');
});
