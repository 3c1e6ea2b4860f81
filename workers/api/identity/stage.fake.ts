import type { LimitCalls, ObjectNamespace, OtpCalls } from '@hissaback/shared/contracts/durable-objects';
import type { PostbackMessage } from '@hissaback/shared/contracts/postback-message';
import { type Database, openDatabase } from '@hissaback/shared/db/client';
import { fixedClock, seededRandom } from '@hissaback/shared/domain/chance.fake';
import { type LimitState, takeLimit } from '@hissaback/shared/domain/limit';
import {
  cancelOtp,
  checkOtp,
  mintOtpCode,
  NO_OTP_STATE,
  OTP_MAX_VALIDITY_MS,
  type OtpState,
  requestOtp,
} from '@hissaback/shared/domain/otp';
import { encodeOtpRequestId } from '@hissaback/shared/domain/otp-request-id';
import { requestScope } from '@hissaback/shared/http/context';
import { notFound, onError } from '@hissaback/shared/http/problem';
import { Hono } from 'hono';
import { sessionRoutes } from '../sessions/routes.ts';
import type { IdentityBindings, IdentityEnv } from './env.ts';
import { REFRESH_COOKIE } from './refresh-cookie.ts';
import { identityRoutes } from './routes.ts';
import { fakeSessions } from './sessions.fake.ts';

/** The value that an answer sets a cookie to, or null if it sets none. */
export function cookieSet(response: Response, name: string): string | null {
  const set = response.headers.getSetCookie().find((cookie) => cookie.startsWith(`${name}=`));
  return set === undefined ? null : (set.split(';')[0] ?? '').slice(name.length + 1);
}

export const START = '2026-11-02T10:00:00Z';

/** What the gateway was asked to send, and how it answers. */
export type FakeGateway = { sent: { mobile: string; text: string; kind: string }[]; answer: () => Response };

export type Stage = Awaited<ReturnType<typeof createStage>>;

/** The routes on a stage: real database and keys, the objects' rules in memory, a gateway that writes down what it is given. */
export async function createStage(databaseUrl: string, jwtKeys: string, settings: Partial<IdentityBindings> = {}) {
  const clock = fixedClock(START);
  const random = seededRandom(Math.floor(Math.random() * 2 ** 32));
  const lines: string[] = [];
  const claims: PostbackMessage[] = [];
  const gateway: FakeGateway = { sent: [], answer: () => Response.json({ type: 'success', message: 'id' }) };
  const sessions = fakeSessions(random);
  const env: IdentityBindings = {
    SESSIONS: sessions.namespace,
    OTP: otpNamespace(random),
    LIMIT: limitNamespace(),
    POSTBACKS: { send: async (message) => claims.push(message) },
    JWT_KEYS: jwtKeys,
    VISITOR_KEYS: `1:${'A'.repeat(43)}`,
    API_KEY_KEYS: `1:${'A'.repeat(43)}`,
    KYC_KEYS: `1:${'A'.repeat(43)}`,
    OTP_COUNTRIES: 'IN',
    SMS_ENDPOINT: 'https://sms.test',
    SMS_AUTH_KEY: 'auth-key',
    SMS_SENDER: 'HISSBK',
    DLT_ENTITY_ID: 'entity',
    DLT_TEMPLATE_OTP: 'template',
    ...settings,
  };
  const databases: Database[] = [];
  let isDown = false;
  const app = new Hono<IdentityEnv>();
  app.use(requestScope({ clock, random, service: 'api', write: (line) => lines.push(line) }));
  app.use(async (c, next) => {
    const db = openDatabase({ connectionString: isDown ? 'postgres://127.0.0.1:1/none' : databaseUrl });
    databases.push(db);
    c.set('db', db);
    await next();
    await db.end();
  });
  app.onError(onError);
  app.notFound(notFound(app));
  app.route('/', identityRoutes).route('/', sessionRoutes);
  return {
    clock,
    random,
    env,
    lines,
    claims,
    gateway,
    sessions,
    databaseDown: () => {
      isDown = true;
    },
    databaseUp: () => {
      isDown = false;
    },
    /** Logs a phone in, past the gateway; the access token and the refresh cookie. */
    async logIn(phone: string, headers: Record<string, string> = {}) {
      const response = await this.verifyPhone(phone, headers);
      const { jwt } = (await response.json()) as { jwt: string };
      return { jwt, refresh: cookieSet(response, REFRESH_COOKIE) ?? '', response };
    },
    /** The answer to the right code for a phone. */
    async verifyPhone(phone: string, headers: Record<string, string> = {}) {
      const objectId = env.OTP.idFromName(phone);
      const requested = await env.OTP.get(objectId).request(phone, clock.now());
      if (!requested.ok) throw new Error(requested.reason);
      const request_id = encodeOtpRequestId({ nonce: requested.nonce, objectId: objectId.toString() });
      return this.call('POST', '/v1/auth/otp/verify', { request_id, code: requested.code }, headers);
    },
    /** A request to the routes; a body is sent as JSON. */
    call: async (method: string, url: string, body?: unknown, headers: Record<string, string> = {}) => {
      const json = body === undefined ? {} : { body: JSON.stringify(body) };
      const address = { 'content-type': 'application/json', 'cf-connecting-ip': '203.0.113.7', ...headers };
      return app.request(new URL(url, 'https://hissaback.test').href, { method, headers: address, ...json }, env);
    },
    close: () => Promise.all(databases.map((db) => db.end())),
  };
}

export function otpNamespace(random: Parameters<typeof mintOtpCode>[0]): ObjectNamespace<OtpCalls> {
  const objects = new Map<string, { phone: string; state: OtpState }>();
  const of = (id: string) => {
    const object = objects.get(id) ?? { phone: '', state: NO_OTP_STATE };
    objects.set(id, object);
    return object;
  };
  const bytes = (text: string) => new TextEncoder().encode(text);
  return namespaceOf((id): OtpCalls => {
    const object = of(id);
    return {
      async request(phone, now) {
        const nonce = random.bytes(16);
        const code = mintOtpCode(random);
        const decision = requestOtp(object.state, now, { nonce, keyId: 1, hash: bytes(code) });
        if (!decision.ok) return decision;
        Object.assign(object, { phone, state: decision.state });
        return { ok: true, nonce, code, validityMs: OTP_MAX_VALIDITY_MS };
      },
      async verify(nonce, code, now) {
        const { verified, state } = checkOtp(object.state, now, { nonce, keyId: 1, hash: bytes(code) });
        object.state = state;
        return verified ? { phone: object.phone } : null;
      },
      async cancel(nonce, outcome) {
        object.state = cancelOtp(object.state, nonce, outcome);
      },
    };
  });
}

export function limitNamespace(): ObjectNamespace<LimitCalls> {
  const states = new Map<string, LimitState>();
  return namespaceOf((id) => ({
    async take(rule, now) {
      const decision = takeLimit(states.get(id) ?? [], rule, now);
      states.set(id, decision.state);
      return decision;
    },
  }));
}

/** Ids are authentic if this namespace made them, as the platform's are. */
function namespaceOf<Calls>(make: (id: string) => Calls): ObjectNamespace<Calls> {
  const ids = new Map<string, string>();
  const idOf = (text: string): DurableObjectId => ({ toString: () => text }) as DurableObjectId;
  return {
    idFromName(name) {
      const known = ids.get(name) ?? (ids.size + 1).toString(16).padStart(64, '0');
      ids.set(name, known);
      return idOf(known);
    },
    idFromString(text) {
      if (![...ids.values()].includes(text)) throw new TypeError('Invalid Durable Object ID');
      return idOf(text);
    },
    get: (id) => make(id.toString()),
  };
}
