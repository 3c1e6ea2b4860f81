import { randomInt } from 'node:crypto';
import { type Client, createClient, read } from '@hissaback/client';
import pg from 'pg';
import type { StackFile } from '../../../scripts/stack/stack-file.ts';
import { type Answer, type Ask, ask, TIMEOUT_MS, USER_AGENT } from './http.ts';
import { openSandboxes, type Sandboxes } from './sandboxes.ts';
import { until } from './until.ts';

/** Somebody logged in. */
export type Person = {
  phone: string;
  user_id: string;
  token: string;
  cookie: string | undefined;
  /** The refresh cookie, `name=value`. */
  refresh: string;
};
/** A creator, with a tenant of the creator's own. */
export type Creator = Person & { tenant_id: string; publisher_id: string };
export type Link = { link_id: string; smart_link: string; offer_id: number };
/** A click, by the reference that the network gets. */
export type Click = { reference: string; location: string; cookie: string | undefined };
export type Report = { schedule: string; ok: boolean; counts: Record<string, number>; error?: string };
export type Row = Record<string, string | null>;

/** Offers of the sandbox network: the first has no cool-off and pays 9 %, the second 30 days and 8 %, both in INR. */
export const INSTANT = 1010;
export const COOLING = 1001;
/** An offer without a currency of its own: USD. */
export const FOREIGN = 1011;

/** The platform as everybody outside sees it, and its database as the owner does. */
export type Platform = Sandboxes & {
  stack: StackFile;
  /** The API through its own typed client, as the holder of a token or as nobody. */
  api(token?: string): Client['api'];
  /** A request of any kind, for what the client would never send. */
  call(method: string, path: string, ask?: Ask): Promise<Answer>;
  /** Logs in by the code in the SMS; a fresh phone unless told. */
  logIn(phone?: string, cookie?: string): Promise<Person>;
  /** A fresh creator with a fresh tenant, which has a publisher id at the network. */
  creator(): Promise<Creator>;
  /** A smart link of a fresh campaign; `share` is the shopper's, in percent. */
  link(creator: Creator, offer_id?: number, share?: string): Promise<Link>;
  /** Follows a smart link as a browser does. */
  follow(link: Link, from?: { cookie?: string | undefined; country?: string }): Promise<Click>;
  /** A click made through the API for somebody who is logged in. */
  clickFor(person: Person, link: Link, country?: string): Promise<string>;
  /** One postback straight to the webhook, by GET. */
  postback(parameters: Record<string, string>): Promise<Answer>;
  /** Runs a schedule; throws unless it ends well. */
  cron(name: keyof StackFile['cron']): Promise<Report>;
  /** Rows with every value as text. */
  sql(text: string, parameters?: unknown[]): Promise<Row[]>;
  /** Waits until both queues are empty and nothing more happens. */
  quiet(): Promise<void>;
  close(): Promise<void>;
};

export function createPlatform(stack: StackFile, operatorToken: string): Platform {
  const { origin } = stack;
  const sandboxes = openSandboxes(stack);
  const pool = new pg.Pool({ connectionString: stack.database.owner, max: 4, types: { getTypeParser: () => String } });
  pool.on('error', () => undefined); // the server may be restarted between two questions

  const call: Platform['call'] = (method, path, request) => ask(method, `${origin}${path}`, request);
  const api: Platform['api'] = (token) =>
    createClient(origin, { fetch: send, ...(token !== undefined && { token }) }).api;
  const sql: Platform['sql'] = async (text, parameters) => (await pool.query<Row>(text, parameters)).rows;

  const logIn: Platform['logIn'] = async (phone = freshPhone(), cookie) => {
    const from = { headers: { 'cf-connecting-ip': freshAddress(), ...(cookie === undefined ? {} : { cookie }) } };
    const { otp } = api().v1.auth;
    const before = (await sandboxes.messages(phone)).length;
    const { request_id } = await read(otp.request.$post({ json: { phone } }, from));
    const message = (await sandboxes.messages(phone)).slice(before).find(({ kind }) => kind === 'otp');
    const code = /\b\d{6}\b/.exec(message?.text ?? '')?.[0] ?? '';
    const verified = await otp.verify.$post({ json: { request_id, code } }, from);
    const { jwt: token } = await read(verified);
    const refresh = cookieSet(verified, '__Host-hb_refresh') ?? '';
    return { phone, user_id: subjectOf(token), token, cookie: visitorOf(verified), refresh };
  };

  const creator: Platform['creator'] = async () => {
    const person = await logIn();
    const { v1 } = api(person.token);
    const { tenant_id } = await read(v1.tenants.$post({ json: { name: 'E2E' } }));
    const publisher_id = `e2e-${randomInt(1e9)}`;
    const own = { param: { tenant_id }, json: { trackier_pid: publisher_id } };
    await read(api(operatorToken).v1.tenants[':tenant_id'].$patch(own));
    const { jwt } = await read(v1.auth.switch.$post({ json: { tenant_id } }));
    return { ...person, token: jwt, tenant_id, publisher_id };
  };

  return {
    ...sandboxes,
    stack,
    api,
    call,
    sql,
    logIn,
    creator,
    async link({ token, tenant_id }, offer_id = INSTANT, share_pct = '50.00') {
      const { campaigns, links } = api(token).v1;
      const { campaign_id } = await read(campaigns.$post({ json: { tenant_id, name: 'E2E', share_pct } }));
      return { ...(await read(links.$post({ json: { campaign_id, offer_id } }))), offer_id };
    },
    async follow(link, { cookie, country = 'IN' } = {}) {
      const headers = { 'cf-ipcountry': country, ...(cookie === undefined ? {} : { cookie }) };
      const answer = await ask('GET', link.smart_link, { headers });
      const location = answer.headers.get('location') ?? '';
      const reference = URL.parse(location)?.searchParams.get('p1');
      if (!reference) throw new Error(`a smart link answered ${answer.status} without p1: ${location}`);
      return { reference, location, cookie: visitorOf(answer) ?? cookie };
    },
    async clickFor({ token, user_id }, { link_id }, country = 'IN') {
      const from = { headers: { 'cf-ipcountry': country } };
      return (await read(api(token).v1.events.click.$post({ json: { link_id, user_id } }, from))).click_id;
    },
    postback(parameters) {
      const query = new URLSearchParams({ ...parameters, token: stack.webhookToken });
      return call('GET', `/v1/events/conversion?${query}`);
    },
    async cron(name) {
      const report = (await ask('POST', stack.cron[name])).json as Report;
      if (!report.ok) throw new Error(`the schedule ${name} failed: ${JSON.stringify(report)}`);
      return report;
    },
    async quiet() {
      // The backlog does not count a batch under way: nothing new for a moment, several times in a row, is quiet.
      let before = '';
      let same = 0;
      await until('quiet queues', async () => {
        const backlog = (await call('GET', '/__queues')).text;
        const [rows] = await sql(
          'select (select count(*) from postbacks) as postbacks, (select count(*) from clicks) as clicks',
        );
        const now = JSON.stringify([backlog, rows]);
        same = now === before && /^\{"clicks":0,"postbacks":0\}$/.test(backlog) ? same + 1 : 0;
        before = now;
        return same >= 8;
      });
    },
    close: () => pool.end(),
  };
}

/** Sends what the client asks for as a person's browser does. */
function send(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const headers = new Headers(init?.headers);
  headers.set('user-agent', USER_AGENT);
  return fetch(input, { ...init, headers, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) });
}

/** An Indian mobile number that nobody has. */
export function freshPhone(): string {
  return `+91${randomInt(7_000_000_000, 9_800_000_000)}`;
}

/** An order id that no other sale has. */
export function freshOrder(): string {
  return `E2E-${randomInt(1e12)}`;
}

/** An address that nobody else asks from. */
export function freshAddress(): string {
  return `2001:db8:${randomInt(65_536).toString(16)}:${randomInt(65_536).toString(16)}::1`;
}

function subjectOf(jwt: string): string {
  const [, claims = ''] = jwt.split('.');
  return JSON.parse(Buffer.from(claims, 'base64url').toString()).sub;
}

function visitorOf(answer: { headers: Headers }): string | undefined {
  return cookieSet(answer, 'hb_v');
}

/** What an answer sets a cookie to, as `name=value`. */
export function cookieSet({ headers }: { headers: Headers }, name: string): string | undefined {
  const set = headers.getSetCookie().find((cookie) => cookie.startsWith(`${name}=`));
  return set?.split(';')[0];
}
