import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

test('a link is a QR code as SVG and as PNG', async () => {
  const { tenant_id, token } = await on.tenant();
  const path = `/v1/links/${await on.link(tenant_id)}`;
  const svg = await on.call('GET', `${path}/qr.svg`, { token });
  expect(svg.status).toBe(200);
  expect(svg.headers.get('content-type')).toBe('image/svg+xml');
  expect(svg.text).toMatch(/^<svg xmlns="[^"]+" viewBox="0 0 (\d+) \1"/);
  const png = await on.call('GET', `${path}/qr.png?size=300`, { token });
  expect(png.status).toBe(200);
  expect(png.headers.get('content-type')).toBe('image/png');
  expect(png.text.slice(1, 4)).toBe('PNG');
});

test('another link, another code', async () => {
  const { tenant_id, token } = await on.tenant();
  const draw = async () => (await on.call('GET', `/v1/links/${await on.link(tenant_id)}/qr.svg`, { token })).text;
  expect(await draw()).not.toBe(await draw());
});

test("another tenant's link is not there, and a size has bounds", async () => {
  const [mine, other] = [await on.tenant(), await on.tenant()];
  const path = `/v1/links/${await on.link(mine.tenant_id)}`;
  for (const name of ['qr.svg', 'qr.png?size=x']) {
    expect((await on.call('GET', `${path}/${name}`, { token: other.token })).status).toBe(404);
  }
  for (const size of ['63', '2049', 'x', '']) {
    expect((await on.call('GET', `${path}/qr.png?size=${size}`, { token: mine.token })).status).toBe(422);
  }
});
