import { afterAll, beforeAll, expect, test } from 'vitest';
import { ORIGIN, type Stage, stage } from '../stage.fake.ts';

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

const bytes = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const PNG = bytes('\x89PNG\r\n\x1a\n\0\0\0\rIHDR and the rest of it');
const put = (tenant: { tenant_id: string; token: string }, body: Uint8Array<ArrayBuffer>, type = 'image/png') =>
  on.call('PUT', `/v1/tenants/${tenant.tenant_id}/logo`, {
    token: tenant.token,
    body,
    headers: { 'content-type': type },
  });

test('a logo is stored below its tenant, named by its content, and served to any site for ever', async () => {
  const tenant = await on.tenant();
  const answer = await put(tenant, PNG);
  expect(answer.status).toBe(200);
  const { logo_url } = answer.json;
  const path = logo_url.slice(ORIGIN.length);
  expect(path).toMatch(new RegExp(`^/assets/${tenant.tenant_id}/[0-9a-f]{32}\\.png$`));
  expect([...on.objects.keys()]).toContain(`tenants/${tenant.tenant_id}/${path.split('/').at(-1)}`);
  expect((await on.call('GET', `/v1/tenants/${tenant.tenant_id}`, { token: tenant.token })).json.logo_url).toBe(
    logo_url,
  );
  const served = await on.call('GET', path);
  expect(served.status).toBe(200);
  expect(Object.fromEntries(served.headers)).toMatchObject({
    'content-type': 'image/png',
    'cache-control': 'public, max-age=31536000, immutable',
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'cross-origin',
    'content-security-policy': "default-src 'none'; sandbox",
  });
  expect((await put(tenant, PNG)).json.logo_url).toBe(logo_url);
  const gone = await on.call('DELETE', `/v1/tenants/${tenant.tenant_id}/logo`, { token: tenant.token });
  expect(gone.status).toBe(204);
  expect((await on.call('GET', `/v1/tenants/${tenant.tenant_id}`, { token: tenant.token })).json.logo_url).toBeNull();
});

test('what an image is its bytes say: a script that calls itself an image is refused, an image with a wrong name is taken', async () => {
  const tenant = await on.tenant();
  for (const text of ['<svg onload="alert(1)"/>', '<html><script>', '', 'GIF89a.........']) {
    expect(await put(tenant, bytes(text))).toMatchObject({ status: 415, json: { code: 'unsupported_media_type' } });
  }
  expect((await put(tenant, bytes('\xff\xd8\xff\xe0 photo'), 'text/html')).json.logo_url).toMatch(/\.jpg$/);
});

test('half a megabyte is the most', async () => {
  const tenant = await on.tenant();
  const large = new Uint8Array(524_289);
  large.set(PNG);
  expect(await put(tenant, large)).toMatchObject({ status: 413, json: { code: 'body_too_large' } });
  expect((await put(tenant, large.slice(0, 524_288))).status).toBe(200);
});

const upload = (token: string, body: Uint8Array<ArrayBuffer>) =>
  on.call('POST', '/v1/assets', { token, body, headers: { 'content-type': 'image/png' } });

test('an image is stored below its tenant, listed, served, and removed', async () => {
  const { token, tenant_id } = await on.tenant();
  const answer = await upload(token, PNG);
  expect(answer).toMatchObject({ status: 200, json: { media_type: 'image/png', size: PNG.length } });
  const { name, url } = answer.json;
  expect([...on.objects.keys()]).toContain(`tenants/${tenant_id}/${name}`);
  expect((await on.call('GET', url.slice(ORIGIN.length))).status).toBe(200);
  expect((await upload(token, PNG)).json.name).toBe(name);
  expect((await on.call('GET', '/v1/assets', { token })).json).toMatchObject([{ name, url }]);
  expect((await on.call('DELETE', `/v1/assets/${name}`, { token })).status).toBe(204);
  expect((await on.call('DELETE', `/v1/assets/${name}`, { token })).status).toBe(404);
  expect((await on.call('GET', url.slice(ORIGIN.length))).status).toBe(404);
  expect((await on.call('GET', '/v1/assets', { token })).json).toEqual([]);
});

test('an image is what its bytes say, two megabytes are the most and two hundred files', async () => {
  const { token, tenant_id } = await on.tenant();
  expect((await upload(token, bytes('<svg onload="alert(1)"/>'))).status).toBe(415);
  const large = new Uint8Array(2_097_153);
  large.set(PNG);
  expect((await upload(token, large)).status).toBe(413);
  expect((await upload(token, large.slice(0, 2_097_152))).status).toBe(200);
  const [stored] = [...on.objects.values()];
  if (stored === undefined) throw new Error('nothing is stored');
  for (let file = 1; file < 200; file++)
    on.objects.set(`tenants/${tenant_id}/${String(file).padStart(32, '0')}.png`, stored);
  expect(await upload(token, PNG)).toMatchObject({ status: 409, json: { code: 'conflict' } });
  expect((await put({ tenant_id, token }, PNG)).status).toBe(409);
});

test('the logo in use is not removed, nor an image of another tenant', async () => {
  const [mine, other] = [await on.tenant(), await on.tenant()];
  const logo = (await put(mine, PNG)).json.logo_url.split('/').at(-1);
  const remove = ({ token }: { token: string }, name: string) => on.call('DELETE', `/v1/assets/${name}`, { token });
  expect(await remove(mine, logo)).toMatchObject({ status: 409, json: { code: 'conflict' } });
  expect((await remove(other, logo)).status).toBe(404);
  expect((await on.call('GET', '/v1/assets', { token: other.token })).json).toEqual([]);
  for (const name of ['..', '..%2f..%2fx.png', 'x', `${'a'.repeat(32)}.svg`])
    expect((await remove(mine, name)).status, name).toBe(404);
});

test('only what was stored is served', async () => {
  const [mine, other] = [await on.tenant(), await on.tenant()];
  const path = (await put(mine, PNG)).json.logo_url.slice(ORIGIN.length);
  for (const wrong of [
    path.replace(mine.tenant_id, other.tenant_id),
    path.replace('.png', '.svg'),
    path.replace('.png', '.jpg'),
    `/assets/${mine.tenant_id}/..%2f..%2fsecret.png`,
    `/assets/x/${path.split('/').at(-1)}`,
  ]) {
    expect((await on.call('GET', wrong)).status, wrong).toBe(404);
  }
});

test("another tenant's logo is refused before the body is read, and so is a former member (money rule 24)", async () => {
  const [mine, other] = [await on.tenant(), await on.tenant()];
  const stored = on.objects.size;
  expect((await put({ ...other, token: mine.token }, bytes('no image'))).status).toBe(403);
  await on.sql('delete from tenant_members where user_id = $1', [mine.user_id]);
  expect((await put(mine, PNG)).status).toBe(403);
  const deleted = await on.call('DELETE', `/v1/tenants/${mine.tenant_id}/logo`, { token: mine.token });
  expect(deleted.status).toBe(403);
  expect(on.objects.size).toBe(stored);
});
