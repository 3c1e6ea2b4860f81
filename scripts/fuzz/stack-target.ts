import { randomInt } from 'node:crypto';
import pg from 'pg';
import type { StackFile } from '../stack/stack-file.ts';
import { tableChecksum, WRITTEN_BEHIND } from './checksum.ts';
import type { FuzzAnswer } from './judge.ts';
import { operationsOf } from './operations.ts';
import type { FuzzRequest, World } from './request.ts';
import type { FuzzTarget } from './run.ts';

const PATIENCE_MS = 30_000;

/** A running stack to send hostile requests to. Nothing in it is worth keeping afterwards. */
export async function stackTarget(stack: StackFile): Promise<FuzzTarget & { close(): Promise<void> }> {
  const pool = new pg.Pool({ connectionString: stack.database.owner, max: 2 });
  pool.on('error', () => undefined); // the server is stopped behind us
  const description: unknown = await (await fetch(`${stack.api}/v1/openapi.json`)).json();
  const sql = async (text: string) => (await pool.query<Record<string, unknown>>(text)).rows;
  const people = new People(stack, sql);
  return {
    operations: operationsOf(description),
    world: () => people.world(),
    send: (request) => send(stack, request),
    checksum: await tableChecksum(sql, WRITTEN_BEHIND),
    quietMs: 200,
    close: () => pool.end(),
  };
}

async function send(stack: StackFile, { method, path, headers, body }: FuzzRequest): Promise<FuzzAnswer | null> {
  const began = performance.now();
  const given: Record<string, string> = { 'cf-connecting-ip': address(), ...headers };
  // The network's own routes: a right token, so that what follows it is read.
  if (path.startsWith('/v1/events/conversion') && randomInt(10) < 8) given['x-hissaback-token'] = stack.webhookToken;
  try {
    const answer = await fetch(`${stack.api}${path}`, {
      method,
      headers: given,
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text, milliseconds: performance.now() - began };
  } catch (error) {
    // What is no HTTP at all cannot be sent.
    if (error instanceof TypeError && !('cause' in error && error.cause !== undefined)) return null;
    return { status: 599, headers: new Headers(), text: String(error), milliseconds: performance.now() - began };
  }
}

type Sql = (text: string) => Promise<Record<string, unknown>[]>;
type Money = Record<'conv_id' | 'unmatched_id' | 'payout_id' | 'claim_id', [string]>;

/** Logs people in and gives them something of every kind. */
class People {
  readonly #stack: StackFile;
  readonly #sql: Sql;
  #operator: string | undefined;
  #money: Money | undefined;

  constructor(stack: StackFile, sql: Sql) {
    this.#stack = stack;
    this.#sql = sql;
  }

  async world(): Promise<World> {
    this.#operator ??= await this.#logIn(this.#stack.operatorPhone);
    const [own, other, shopper] = [await this.#creator(), await this.#creator(), await this.#logIn(phone())];
    const { widget_id = '', key_id = '', domain_id = '', endpoint_id = '' } = own.ids;
    this.#money ??= await this.#sale(own.links[1] ?? '', shopper);
    const widgetToken = await this.#post(`/v1/widgets/${widget_id}/tokens`, own.token, undefined);
    return {
      tokens: {
        shopper,
        creator: own.token,
        operator: this.#operator,
        widget: widgetToken.token ?? '',
        cron: this.#stack.cronToken,
      },
      stranger: other.token,
      ids: {
        tenant_id: [own.tenant_id, own.tenant_id, other.tenant_id],
        campaign_id: [...own.campaigns, ...own.campaigns, ...other.campaigns],
        link_id: [...own.links, ...own.links, ...other.links],
        offer_id: ['1001', '1010'],
        widget_id: [widget_id],
        key_id: [key_id],
        domain_id: [domain_id],
        endpoint_id: [endpoint_id],
        token_id: [widgetToken.token_id ?? widget_id],
        user_id: [subjectOf(shopper), subjectOf(own.token), subjectOf(other.token)],
        ...this.#money,
      },
    };
  }

  /** A sale that was paid for, one that nobody can match, and a claim of a missing one: what operators decide about. */
  async #sale(link_id: string, shopper: string): Promise<Money> {
    const user_id = subjectOf(shopper);
    const { click_id = '' } = await this.#post('/v1/events/click', shopper, { link_id, user_id });
    const said = { offer_id: '1010', sale_amount: '40000.00', status: 'approved', token: this.#stack.webhookToken };
    for (const [click, txn_id] of [
      [click_id, 'FUZZ-1'],
      ['nobody', 'FUZZ-2'],
    ])
      await fetch(
        `${this.#stack.webhook}/v1/events/conversion?${new URLSearchParams({ ...said, click_id: click ?? '', txn_id: txn_id ?? '' })}`,
      );
    const conv_id = await this.#found('conv_id', "from conversions where txn_id = 'FUZZ-1'");
    const unmatched_id = await this.#found('unmatched_id', 'from unmatched_conversions');
    for (const name of ['release', 'payout'] as const) await fetch(this.#stack.cron[name], { method: 'POST' });
    const payout_id = await this.#found('payout_id', 'from payouts');
    const date = new Date(Date.now() - 10 * 86_400_000).toISOString().slice(0, 10);
    const purchase = { offer_id: 1010, date, order_id: 'FUZZ-3', amount: '100.00' };
    const { claim_id = '' } = await this.#post('/v1/missing-cashback', shopper, purchase);
    return { conv_id: [conv_id], unmatched_id: [unmatched_id], payout_id: [payout_id], claim_id: [claim_id] };
  }

  /** A column of a row that appears within a while. */
  async #found(column: string, from: string): Promise<string> {
    for (let tries = 0; tries < 100; tries++) {
      const [row] = await this.#sql(`select ${column}::text as id ${from} limit 1`);
      if (row !== undefined) return String(row.id);
      await new Promise((soon) => setTimeout(soon, 200));
    }
    throw new Error(`no ${column} ${from}`);
  }

  async #creator() {
    const first = await this.#logIn(phone());
    const { tenant_id = '' } = await this.#post('/v1/tenants', first, { name: 'Fuzz' });
    const { jwt: token = '' } = await this.#post('/v1/auth/switch', first, { tenant_id });
    const campaigns: string[] = [];
    const links: string[] = [];
    for (const offer_id of [1001, 1010]) {
      const { campaign_id = '' } = await this.#post('/v1/campaigns', token, { tenant_id, name: 'Fuzz', share_pct: 50 });
      campaigns.push(campaign_id);
      links.push((await this.#post('/v1/links', token, { campaign_id, offer_id })).link_id ?? '');
    }
    const ids = {
      ...(await this.#post('/v1/widgets', token, { campaign_id: campaigns[0] })),
      ...(await this.#post('/v1/api-keys', token, { name: 'Fuzz', scopes: ['links:read'] })),
      ...(await this.#post('/v1/domains', token, { domain: `fuzz${randomInt(1e9)}.example.com` })),
      ...(await this.#post('/v1/webhooks', token, { url: 'https://hooks.example.com/' })),
    };
    return { token, tenant_id, campaigns, links, ids };
  }

  async #logIn(to: string): Promise<string> {
    const before = (await this.#messages(to)).length;
    const { request_id } = await this.#post('/v1/auth/otp/request', undefined, { phone: to });
    const text = (await this.#messages(to))[before]?.text ?? '';
    const { jwt } = await this.#post('/v1/auth/otp/verify', undefined, { request_id, code: /\d{6}/.exec(text)?.[0] });
    if (jwt === undefined) throw new Error('nobody can log in');
    return jwt;
  }

  async #messages(to: string): Promise<{ text: string }[]> {
    const answer = await fetch(`${this.#stack.sandbox.sms}/messages?to=${encodeURIComponent(to)}`);
    return (await answer.json()) as { text: string }[];
  }

  async #post(path: string, token: string | undefined, json: unknown): Promise<Record<string, string>> {
    const answer = await fetch(`${this.#stack.api}${path}`, {
      method: 'POST',
      headers: {
        'cf-connecting-ip': address(),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(json !== undefined && { 'content-type': 'application/json' }),
      },
      ...(json !== undefined && { body: JSON.stringify(json) }),
    });
    if (!answer.ok) throw new Error(`POST ${path} answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as Record<string, string>;
  }
}

function phone(): string {
  return `+91${randomInt(7_000_000_000, 9_800_000_000)}`;
}

function address(): string {
  return `2001:db8:${randomInt(65_536).toString(16)}:${randomInt(65_536).toString(16)}::1`;
}

function subjectOf(jwt: string): string {
  const [, claims = ''] = jwt.split('.');
  return JSON.parse(Buffer.from(claims, 'base64url').toString()).sub;
}
