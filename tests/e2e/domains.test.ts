import { randomInt } from 'node:crypto';
import { request } from 'node:http';
import { expect, test } from 'vitest';
import { type Creator, INSTANT } from './support/platform.ts';
import { openSuite } from './support/suite.ts';
import { until } from './support/until.ts';

const on = openSuite();

type Domain = { domain_id: string; domain: string; status: string; record: { name: string; value: string } };

const freshDomain = (): string => `go-${randomInt(1e9)}.example`;

async function claim({ token }: Creator, domain: string): Promise<Domain> {
  return (await on.call('POST', '/v1/domains', { token, json: { domain } })).json;
}
const verify = ({ token }: Creator, { domain_id }: Domain) =>
  on.call('POST', `/v1/domains/${domain_id}/verify`, { token });

async function verified(creator: Creator, domain: string): Promise<Domain> {
  const claimed = await claim(creator, domain);
  await on.txt(claimed.record.name, [claimed.record.value]);
  expect((await verify(creator, claimed)).json).toMatchObject({ status: 'verified' });
  return claimed;
}

async function linkOn({ token, tenant_id }: Creator, domain: string, slug: string) {
  const campaign = { tenant_id, name: 'E2E', share_pct: '50.00' };
  const { campaign_id } = (await on.call('POST', '/v1/campaigns', { token, json: campaign })).json;
  return on.call('POST', '/v1/links', { token, json: { campaign_id, offer_id: INSTANT, domain, slug } });
}

/** A request that reaches the stack under another name, as DNS would lead it there. */
function visit(host: string, path: string): Promise<{ status: number; location: string | undefined; cookie: string }> {
  const { port } = new URL(on.stack.origin);
  return new Promise((resolve, reject) => {
    const headers = { host, 'user-agent': 'Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile' };
    request({ port, path, headers }, (response) => {
      const { statusCode = 0, headers: given } = response.resume();
      resolve({ status: statusCode, location: given.location, cookie: (given['set-cookie'] ?? []).join() });
    })
      .on('error', reject)
      .end();
  });
}
const arrives = (host: string, path: string) =>
  until(`${host}${path}`, async () => {
    const answer = await visit(host, path);
    return answer.status === 302 && answer;
  });

test('a domain is claimed, proven by its TXT record, and its links are followed under its name alone', async () => {
  const creator = await on.creator();
  const domain = freshDomain();
  const claimed = await claim(creator, domain);
  expect(claimed).toMatchObject({ status: 'pending', record: { type: 'TXT', name: `_hissaback.${domain}` } });
  expect((await verify(creator, claimed)).json).toMatchObject({ status: 'pending' });
  expect((await linkOn(creator, domain, 'early')).status).toBe(422);
  await on.txt(claimed.record.name, ['v=spf1 -all', `${claimed.record.value}x`]);
  expect((await verify(creator, claimed)).json).toMatchObject({ status: 'pending' });
  await on.txt(claimed.record.name, ['v=spf1 -all', claimed.record.value]);
  expect((await verify(creator, claimed)).json).toMatchObject({ status: 'verified', is_default: true });
  const slug = `deal-${randomInt(1e9)}`;
  const made = await linkOn(creator, domain, slug);
  expect(made).toMatchObject({ status: 200, json: { smart_link: `https://${domain}/${slug}` } });
  const followed = await arrives(domain, `/${slug}`);
  expect(followed.location).toMatch(/[?&]p1=/);
  expect(followed.cookie).toMatch(/^hb_v=.*HttpOnly/i);
  for (const host of [domain.toUpperCase(), `${domain}.`, `${domain}:8787`]) {
    expect((await visit(host, `/${slug}`)).status, host).toBe(302);
  }
  const { host } = new URL(on.stack.origin);
  for (const other of [host, `www.${domain}`, freshDomain()]) {
    expect((await visit(other, `/${slug}`)).status, other).toBe(404);
  }
});

test('on a domain there are its own tenant’s links only, and nobody else makes one there', async () => {
  const [mine, theirs] = await Promise.all([on.creator(), on.creator()]);
  const [mineHost, theirHost] = [freshDomain(), freshDomain()];
  const [, other] = await Promise.all([verified(mine, mineHost), verified(theirs, theirHost)]);
  const slug = `same-${randomInt(1e9)}`;
  expect((await linkOn(mine, theirHost, slug)).status).toBe(422);
  expect((await linkOn(mine, mineHost, slug)).status).toBe(200);
  await arrives(mineHost, `/${slug}`);
  expect((await visit(theirHost, `/${slug}`)).status).toBe(404);
  expect((await linkOn(theirs, theirHost, slug)).status).toBe(200);
  const [a, b] = await Promise.all([arrives(mineHost, `/${slug}`), arrives(theirHost, `/${slug}`)]);
  expect(new URL(a.location ?? '').searchParams.get('pub_id')).toBe(mine.publisher_id);
  expect(new URL(b.location ?? '').searchParams.get('pub_id')).toBe(theirs.publisher_id);
  const taken = await claim(mine, theirHost);
  await on.txt(taken.record.name, [taken.record.value]);
  expect(await verify(mine, taken)).toMatchObject({ status: 409, json: { code: 'conflict' } });
  expect((await on.call('DELETE', `/v1/domains/${other.domain_id}`, { token: mine.token })).status).toBe(404);
});

test('a released domain leads nowhere, and its next holder starts with every slug free', async () => {
  const [before, after] = await Promise.all([on.creator(), on.creator()]);
  const domain = freshDomain();
  const { domain_id } = await verified(before, domain);
  const slug = `moved-${randomInt(1e9)}`;
  await linkOn(before, domain, slug);
  // Not followed before: an isolate may show for half a minute what it has seen.
  const released = await on.call('DELETE', `/v1/domains/${domain_id}`, { token: before.token });
  expect(released.json).toEqual({ archived_links: 1 });
  await until('no link', async () => (await visit(domain, `/${slug}`)).status === 404);
  await verified(after, domain);
  expect((await linkOn(after, domain, slug)).status).toBe(200);
  const { location = '' } = await arrives(domain, `/${slug}`);
  expect(new URL(location).searchParams.get('pub_id')).toBe(after.publisher_id);
});
