import { expect, test } from 'vitest';
import type { Answer } from './support/http.ts';
import { cookieSet, freshAddress, freshPhone, INSTANT } from './support/platform.ts';
import { openSuite } from './support/suite.ts';

const on = openSuite();
const FIFTY = Array.from({ length: 50 }, (_, index) => index);
const REFRESH = '__Host-hb_refresh';

async function asked(phone: string): Promise<{ request_id: string; code: string }> {
  const headers = { 'cf-connecting-ip': freshAddress() };
  const { json } = await on.call('POST', '/v1/auth/otp/request', { json: { phone }, headers });
  const [message] = (await on.messages(phone)).filter(({ kind }) => kind === 'otp').slice(-1);
  return { request_id: json.request_id, code: /\b\d{6}\b/.exec(message?.text ?? '')?.[0] ?? '' };
}
const verify = (request_id: string, code: string, cookie?: string): Promise<Answer> =>
  on.call('POST', '/v1/auth/otp/verify', {
    json: { request_id, code },
    headers: { 'cf-connecting-ip': freshAddress(), ...(cookie !== undefined && { cookie }) },
  });
const refresh = (token: string): Promise<Answer> =>
  on.call('POST', '/v1/auth/refresh', { headers: { cookie: `${REFRESH}=${token}`, 'x-requested-with': 'test' } });
const cookieOf = (answer: Answer, name: string): string => cookieSet(answer, name)?.slice(name.length + 1) ?? '';
const statuses = (answers: readonly Answer[]): number[] => answers.map(({ status }) => status).toSorted();

test.concurrent('fifty guesses at once are five checks: the right code after them is refused', async () => {
  const { request_id, code } = await asked(freshPhone());
  const guesses = FIFTY.map((n) => String((Number(code) + 1 + n) % 1_000_000).padStart(6, '0'));
  const answers = await Promise.all(guesses.map((guess) => verify(request_id, guess)));
  expect(new Set(answers.map(({ json }) => json.code))).toEqual(new Set(['otp_invalid']));
  expect((await verify(request_id, code)).status).toBe(400);
});

test.concurrent('a right code sent fifty times at once logs in once', async () => {
  const phone = freshPhone();
  const { request_id, code } = await asked(phone);
  const answers = await Promise.all(FIFTY.map(() => verify(request_id, code)));
  expect(statuses(answers)).toEqual([200, ...Array(49).fill(400)]);
  expect(await on.sql('select count(*) from users where phone = $1', [phone])).toEqual([{ count: '1' }]);
});

test.concurrent('fifty requests for one phone at once send one message', async () => {
  const phone = freshPhone();
  const answers = await Promise.all(
    FIFTY.map(() =>
      on.call('POST', '/v1/auth/otp/request', { json: { phone }, headers: { 'cf-connecting-ip': freshAddress() } }),
    ),
  );
  expect(statuses(answers)).toEqual([200, ...Array(49).fill(429)]);
  expect(await on.messages(phone)).toHaveLength(1);
});

test.concurrent('fifty tabs that refresh at once go on with one successor; the token before it then ends the session for all', async () => {
  const { request_id, code } = await asked(freshPhone());
  const login = await verify(request_id, code);
  const first = cookieOf(login, REFRESH);
  const answers = await Promise.all(FIFTY.map(() => refresh(first)));
  expect(new Set(statuses(answers))).toEqual(new Set([200]));
  const [second = '', ...others] = new Set(answers.map((answer) => cookieOf(answer, REFRESH)));
  expect(others).toEqual([]);
  const third = await refresh(second);
  expect(third.status).toBe(200);
  expect((await refresh(first)).status).toBe(401);
  expect((await refresh(cookieOf(third, REFRESH))).status).toBe(401);
  for (const { json } of [login, third]) {
    expect((await on.call('GET', '/v1/me', { token: json.jwt })).status).toBe(401);
  }
});

test.concurrent('fifty people who log in at once with the same visitor cookie: it is one’s, and everyone leaves with another (money rule 8)', async () => {
  const link = await on.link(await on.creator(), INSTANT);
  const { cookie = '' } = await on.follow(link);
  const requests = await Promise.all(FIFTY.map(() => asked(freshPhone())));
  const answers = await Promise.all(requests.map(({ request_id, code }) => verify(request_id, code, cookie)));
  expect(new Set(statuses(answers))).toEqual(new Set([200]));
  const cookies = new Set(answers.map((answer) => cookieOf(answer, 'hb_v')));
  expect(cookies.size).toBe(50);
  expect(cookies).not.toContain(cookie.split('=')[1]);
  const users = answers.map(({ json }) => JSON.parse(Buffer.from(json.jwt.split('.')[1], 'base64url').toString()).sub);
  const [row] = await on.sql(
    'select count(*) as visitors, count(distinct user_id) as users from visitors where user_id = any($1::uuid[])',
    [users],
  );
  // Each user's own new visitor, and the shared one with whoever was first.
  expect(row).toEqual({ visitors: '51', users: '50' });
});
