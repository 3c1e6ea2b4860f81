import { env, exports } from 'cloudflare:workers';
import type { ClickMessage } from '@hissaback/shared/contracts/click-message';
import { publishedLinkKey } from '@hissaback/shared/contracts/published-link';
import { fixedClock } from '@hissaback/shared/domain/chance.fake';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ClickBuffer } from './click-buffer.ts';
import { LINK, NOW, PERSON, stage } from './stage.fake.ts';

afterEach(() => vi.restoreAllMocks());

describe('clicks of concurrent requests', () => {
  it.each([60, 250])('%d at once are all sent, in batches of at most 100', async (count) => {
    const on = stage();
    await on.publish({});
    const requests = Array.from({ length: count }, () => on.request('/demo'));
    await Promise.all(requests.map(({ settled }) => settled));
    expect(new Set(on.clicks.map((click) => click.click_id)).size).toBe(count);
    expect(on.clicks).toHaveLength(count);
    expect(Math.max(...on.batches)).toBeLessThanOrEqual(100);
    expect(on.batches.length).toBeLessThan(count / 5);
  });

  it('the next request, alone, is sent as well', async () => {
    const on = stage();
    await on.publish({});
    for (let click = 1; click <= 3; click++) {
      await on.follow('/demo');
      expect(on.clicks).toHaveLength(click);
    }
  });

  it('are taken over by the next request when their owner died with its request', async () => {
    const clock = fixedClock(NOW);
    const buffer = new ClickBuffer(clock);
    const sent: unknown[] = [];
    const queue = { sendBatch: async (batch: Iterable<unknown>) => void sent.push(...batch) } as unknown as Queue;
    const work: Promise<unknown>[] = [];
    const click = { click_id: '1' } as ClickMessage;
    vi.spyOn(globalThis, 'setTimeout').mockImplementationOnce(() => 0 as unknown as ReturnType<typeof setTimeout>);
    buffer.add(click, queue, { waitUntil: () => {} });
    buffer.add(click, queue, { waitUntil: (more) => void work.push(more) });
    expect(work).toHaveLength(0);
    clock.advance(1_000);
    buffer.add(click, queue, { waitUntil: (more) => void work.push(more) });
    await Promise.all(work);
    expect(sent).toHaveLength(3);
  });
});

describe('when the queue is down', () => {
  it('the redirect answers at once and the batch is sent again', async () => {
    const on = stage();
    await on.publish({});
    on.failing.queue = 2;
    const { answer, settled } = on.request('/demo');
    expect((await answer).status).toBe(302);
    expect(on.batches).toEqual([]);
    await settled;
    expect(on.batches).toEqual([1, 1, 1]);
    expect(on.clicks).toHaveLength(1);
  });

  it('for good, the loss is one log line with a count, and later clicks are sent', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    const on = stage();
    await on.publish({});
    on.failing.queue = 4;
    const requests = [on.request('/demo'), on.request('/demo')];
    await Promise.all(requests.map(({ settled }) => settled));
    expect(log.mock.calls.map(([line]) => JSON.parse(line))).toMatchObject([{ event: 'clicks_lost', count: 2 }]);
    await on.follow('/demo');
    expect(on.clicks).toHaveLength(1);
  });
});

describe('in the real runtime, over real KV and a real queue', () => {
  const received = async (): Promise<ClickMessage[]> => {
    const { CLICK_SINK } = env as unknown as { CLICK_SINK: Fetcher };
    return (await CLICK_SINK.fetch('https://sink')).json();
  };

  it('sixty clicks at once arrive as sixty messages, and the request after them too', async () => {
    await env.LINKS.put(publishedLinkKey(null, 'real'), JSON.stringify(LINK));
    const { default: worker } = exports as unknown as { default: Fetcher };
    const follow = () =>
      worker.fetch('https://hissaback.test/real', { headers: { 'User-Agent': PERSON }, redirect: 'manual' });
    const answers = await Promise.all(Array.from({ length: 60 }, follow));
    expect(answers.map((answer) => answer.status)).toEqual(Array(60).fill(302));
    await expect.poll(async () => (await received()).length, { timeout: 5_000 }).toBe(60);
    await follow();
    await expect.poll(async () => (await received()).length, { timeout: 5_000 }).toBe(61);
    expect(new Set((await received()).map((click) => click.click_id)).size).toBe(61);
  });
});
