import { expect, test } from 'vitest';
import { get, post } from '../kit/testing.ts';
import { startForTest, startReceiver } from './testing.ts';

test('a tracking link leads to a shop whose form reports our reference back', async () => {
  const { webhookUrl, received } = await startReceiver(200);
  const { url } = await startForTest({ webhookUrl });
  const response = await fetch(`${url}/click?campaign_id=1001&pub_id=8002&p1=our-reference`);
  expect(response.status).toBe(200);
  const text = await response.text();
  expect(text).toContain('<html lang="en">');
  expect(text).toContain('<label for="sale_amount">');
  const form = new URLSearchParams(
    [...text.matchAll(/name="(\w+)"[^>]*value="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
  );
  for (const [, name = ''] of text.matchAll(/name="(sale_amount)"/g)) form.set(name, '1200.50');
  const bought = await fetch(`${url}/buy`, { method: 'POST', body: form, headers: { accept: 'text/html' } });
  expect(await bought.text()).toContain('Order placed');
  expect(received[0]?.query.get('click_id')).toBe('our-reference');
  expect(received[0]?.query.get('sale_amount')).toBe('1200.50');
  const [conversion] = (await get(`${url}/__control/conversions`)).body.conversions;
  expect(conversion).toMatchObject({ publisher_id: '8002', campaign_id: 1001, payout: '96.04' });
  expect(conversion.click_id).not.toBe('our-reference');
});

test.each(['campaign_id=9&pub_id=7001', 'campaign_id=1001', 'pub_id=7001'])(
  'a link with %s leads nowhere',
  async (query) => {
    const { url } = await startForTest();
    expect((await fetch(`${url}/click?${query}`)).status).toBe(404);
  },
);

test('what a visitor brings along is shown as text', async () => {
  const { url } = await startForTest();
  const title = '<script>alert(1)</script>';
  await post(`${url}/__control/campaigns`, { upsert: [{ id: 3001, title }] });
  const page = await (await fetch(`${url}/click?campaign_id=3001&pub_id=7001`)).text();
  expect(page).not.toContain('<script>');
});

test('a purchase needs a known click, or a reference and a campaign', async () => {
  const { url } = await startForTest();
  for (const sale of [{}, { click_id: 'none' }, { p1: 'r' }, { p1: 'r', campaign_id: 9 }]) {
    expect((await post(`${url}/buy`, { sale_amount: '1', ...sale })).status).toBe(400);
  }
  expect((await post(`${url}/buy`, { p1: 'r', campaign_id: 1001, sale_amount: 'much' })).status).toBe(400);
});

test('a sale by reference belongs to the publisher whose link was clicked', async () => {
  const { url } = await startForTest();
  await fetch(`${url}/click?campaign_id=1001&pub_id=8002&p1=seen`);
  const sell = async (more: Record<string, string>) =>
    (await post(`${url}/buy`, { campaign_id: 1001, sale_amount: '1', ...more })).body.conversion;
  const first = await sell({ p1: 'seen' });
  expect(first.publisher_id).toBe('8002');
  expect((await sell({ p1: 'seen' })).click_id).toBe(first.click_id);
  expect((await sell({ p1: 'seen', publisher_id: '8003' })).publisher_id).toBe('8003');
  expect((await sell({ p1: 'unseen' })).publisher_id).toBe('7001');
});
