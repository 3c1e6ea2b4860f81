import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { limitNamespace, otpNamespace } from '../identity/stage.fake.ts';
import { type Answer, type CallOptions, type Stage, stage } from '../stage.fake.ts';

/** How often each of a pair is asked; of a machine that has other things to do the medians are compared. */
const TIMES = 15;
const TRIES = 4;
/** Milliseconds, or a share of the shorter, that two medians may lie apart by chance. */
const SLACK_MS = 4;
const SLACK_SHARE = 0.5;

let on: Stage;
beforeAll(async () => {
  on = await stage();
});
afterAll(() => on.close());

type Asked = [method: string, path: string, options: CallOptions];

/** The answer without what is new in every answer. */
function shape({ status, json }: Answer): unknown {
  const text = JSON.stringify(json ?? null, (name, value) =>
    /^(?:request_id|\w+_id|\w+_at|phone_end)$/.test(name) ? 'x' : value,
  );
  return { status, json: JSON.parse(text) };
}

async function milliseconds(ask: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await ask();
  return performance.now() - began;
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
}

/** Whether the two take as long as one another, asked in turn. */
async function takeAsLong(there: () => Promise<unknown>, missing: () => Promise<unknown>): Promise<boolean> {
  for (let tries = 0; tries < TRIES; tries++) {
    const [a, b]: [number[], number[]] = [[], []];
    for (let time = 0; time < TIMES; time++) {
      a.push(await milliseconds(there));
      b.push(await milliseconds(missing));
    }
    const [first, second] = [median(a), median(b)];
    if (Math.abs(first - second) <= Math.max(SLACK_MS, SLACK_SHARE * Math.min(first, second))) return true;
  }
  return false;
}

describe("what is another tenant's cannot be told from what is not there, by its answer or its time", () => {
  const cases: [name: string, asked: (id: string, ids: Record<string, string>) => Asked, kind: string][] = [
    ['a campaign', (id) => ['GET', `/v1/campaigns/${id}`, {}], 'campaign'],
    ['a campaign that is changed', (id) => ['PATCH', `/v1/campaigns/${id}`, { json: { name: 'X' } }], 'campaign'],
    [
      'a campaign that a link names',
      (id) => ['POST', '/v1/links', { json: { campaign_id: id, offer_id: 1 } }],
      'campaign',
    ],
    ['a campaign that links are listed by', (id) => ['GET', `/v1/links?campaign_id=${id}`, {}], 'campaign'],
    ['a link', (id) => ['GET', `/v1/links/${id}`, {}], 'link'],
    ['a link that is changed', (id) => ['PATCH', `/v1/links/${id}`, { json: { status: 'paused' } }], 'link'],
    ['a link that is clicked', (id) => ['POST', '/v1/events/click', { json: { link_id: id } }], 'link'],
    ['a tenant', (id) => ['GET', `/v1/tenants/${id}`, {}], 'tenant'],
    ['a tenant that is changed', (id) => ['PATCH', `/v1/tenants/${id}`, { json: { name: 'X' } }], 'tenant'],
    ['a tenant that offers are listed for', (id) => ['GET', `/v1/offers?tenant_id=${id}`, {}], 'tenant'],
    ['a widget', (id) => ['GET', `/v1/widgets/${id}`, {}], 'widget'],
  ];
  let token: string;
  let theirs: Record<string, string>;
  beforeAll(async () => {
    token = (await on.tenant()).token;
    const other = await on.tenant();
    const campaign = await on.campaign(other.tenant_id);
    const made = await on.call('POST', '/v1/widgets', { token: other.token, json: { campaign_id: campaign } });
    theirs = {
      ...{ campaign, tenant: other.tenant_id },
      link: await on.link(other.tenant_id),
      widget: made.json.widget_id,
    };
  });

  test.each(cases)('%s', { timeout: 60_000 }, async (_name, asked, kind) => {
    const ask = (id: string) => {
      const [method, path, options] = asked(id, theirs);
      return on.call(method, path, { ...options, token });
    };
    const there = theirs[kind] ?? '';
    const answer = await ask(there);
    expect(shape(answer)).toEqual(shape(await ask(on.uuid())));
    expect(
      await takeAsLong(
        () => ask(there),
        () => ask(on.uuid()),
      ),
    ).toBe(true);
  });
});

describe('a phone that is known cannot be told from one that is not', () => {
  const known = '+919811100001';
  const unknown = () => `+9198${String(Math.floor(Math.random() * 1e8)).padStart(8, '0')}`;
  beforeAll(async () => {
    await on.sql('insert into users (user_id, phone, created_at) values ($1, $2, now())', [on.uuid(), known]);
  });

  test('by an invitation', async () => {
    const { token, tenant_id } = await on.tenant();
    const invite = (phone: string) =>
      on.call('POST', `/v1/tenants/${tenant_id}/invitations`, { token, json: { phone } });
    expect(shape(await invite(known))).toEqual(shape(await invite(unknown())));
    expect((await invite(known)).status).toBe(200);
  });

  test('by asking for a code: nobody looks, so no statement is sent to the database', async () => {
    const random = { bytes: (count: number) => crypto.getRandomValues(new Uint8Array(count)) };
    const { DB } = on.env;
    Object.assign(on.env, {
      OTP: otpNamespace(random),
      LIMIT: limitNamespace(),
      SMS_ENDPOINT: 'http://127.0.0.1:1',
      DB: { connectionString: 'postgres://nobody@127.0.0.1:1/none' },
    });
    const ask = (phone: string) => on.call('POST', '/v1/auth/otp/request', { json: { phone } });
    const answers = [await ask(known), await ask(unknown())];
    on.env.DB = DB;
    // The gateway is not there: both say so, and neither that there is no database.
    for (const answer of answers) expect(answer).toMatchObject({ status: 503, json: { code: 'unavailable' } });
    const [first, second] = answers.map(shape);
    expect(first).toEqual(second);
  });
});
