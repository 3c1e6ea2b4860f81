import type { Dice } from './dice.ts';
import { hostileBody, hostileHeader, hostileText, hostileValue, TEXTS } from './hostile-values.ts';
import type { FuzzedOperation, Schema } from './operations.ts';

/** Who there is to speak as, and what there is to name. */
export type World = {
  /** Tokens by role. */
  tokens: Readonly<Record<string, string>>;
  /** A creator of another tenant. */
  stranger: string;
  /** Ids by the name of the field or parameter that holds them; some are the stranger's. */
  ids: Readonly<Record<string, readonly string[]>>;
};

export type FuzzRequest = {
  /** What was done to it, for whoever reads the report. */
  about: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | Uint8Array<ArrayBuffer> | null;
};

/** What would end the session or the person whose token it carries, or stop everybody, is never sent with a token that may. */
const DISRUPTIVE = new Set([
  'POST /v1/auth/logout-all',
  'DELETE /v1/me',
  'DELETE /v1/auth/sessions/{session_id}',
  'POST /v1/kill-switches',
]);

/** A request that is right in most and wrong in some of its parts. */
export function hostileRequest(operation: FuzzedOperation, world: World, roll: Dice): FuzzRequest {
  const about: string[] = [];
  const all = Object.values(world.ids).flat();
  const request = { method: operation.method, headers: authorization(operation, world, roll, about) };
  const wrongPart = roll.pick(partsOf(operation));
  const path = pathOf(operation, world, roll, wrongPart === 'path', all, about);
  const query = queryOf(operation, world, roll, wrongPart === 'query', all, about);
  const headers: Record<string, string> = request.headers;
  if (wrongPart === 'header') {
    const [name, value] = hostileHeader(roll);
    headers[name] = value;
    about.push(`header ${name}`);
  }
  if (operation.takesIdempotencyKey && roll.happens(0.1)) headers['idempotency-key'] ??= `fuzz-${roll.int(1e9)}`;
  const method =
    wrongPart === 'method' ? roll.pick(['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'POST', 'HEAD']) : operation.method;
  if (method !== operation.method) about.push(`method ${method}`);
  const body = ['GET', 'HEAD', 'OPTIONS'].includes(method)
    ? null
    : bodyOf(operation, world, roll, wrongPart, headers, all, about);
  return {
    about: `${operation.method} ${operation.path}: ${about.join(', ')}`,
    method,
    path: path + query,
    headers,
    body,
  };
}

type Part = 'path' | 'query' | 'header' | 'method' | 'fields' | 'body';

function partsOf(operation: FuzzedOperation): Part[] {
  const parts: Part[] = ['header', 'method', 'query'];
  if (operation.params.length > 0) parts.push('path', 'path', 'path');
  if (Object.keys(operation.query).length > 0) parts.push('query', 'query', 'query', 'query');
  if (operation.body !== null) parts.push('fields', 'fields', 'fields', 'fields', 'fields', 'fields', 'body', 'body');
  if (operation.rawType !== null) parts.push('body', 'body', 'body');
  return parts;
}

function authorization(operation: FuzzedOperation, world: World, roll: Dice, about: string[]): Record<string, string> {
  const isDisruptive = DISRUPTIVE.has(`${operation.method} ${operation.path}`);
  const kind = roll.int(20);
  if (kind < 15 && operation.roles.length > 0 && !isDisruptive) {
    const token = world.tokens[roll.pick(operation.roles)];
    return token === undefined ? {} : { authorization: `Bearer ${token}` };
  }
  if (kind === 15 && !isDisruptive) {
    about.push('of another tenant');
    return { authorization: `Bearer ${world.stranger}` };
  }
  if (kind === 16 && !isDisruptive) {
    about.push('of any role');
    return { authorization: `Bearer ${roll.pick(Object.values(world.tokens))}` };
  }
  if (kind === 17) {
    about.push('nonsense for a token');
    const token = roll.pick(Object.values(world.tokens));
    const nonsense = [
      'Bearer',
      'Bearer x',
      `Basic ${token}`,
      `Bearer ${token}x`,
      `Bearer ${token.slice(0, -9)}`,
      `Bearer ${'x'.repeat(9_000)}`,
    ];
    const keys = [
      `Bearer hbk_${'A'.repeat(64)}`,
      'Bearer hbk_',
      'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.',
      'Bearer a.b.c',
    ];
    return { authorization: roll.pick([...nonsense, ...keys]) };
  }
  about.push('no token');
  return {};
}

function pathOf(
  operation: FuzzedOperation,
  world: World,
  roll: Dice,
  isWrong: boolean,
  all: readonly string[],
  about: string[],
): string {
  const wrong = isWrong ? roll.pick(operation.params) : undefined;
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (name !== wrong) return encodeURIComponent(roll.pick(world.ids[name] ?? all));
    about.push(`parameter ${name}`);
    const text = hostileText(roll, all);
    return wellFormed(text === '' || text === '.' || text === '..' ? '%20' : encodeURIComponent(text.toWellFormed()));
  });
  if (!isWrong || !roll.happens(0.1)) return path;
  about.push('path');
  return roll.pick([
    `${path}/`,
    `/${path}`,
    path.toUpperCase(),
    `${path}%00`,
    `${path};a=b`,
    `${path}/..%2f..`,
    `${path}%zz`,
  ]);
}

const wellFormed = (text: string): string => text.slice(0, 6_000);

function queryOf(
  operation: FuzzedOperation,
  world: World,
  roll: Dice,
  isWrong: boolean,
  all: readonly string[],
  about: string[],
): string {
  const pairs: string[] = [];
  for (const [name, schema] of Object.entries(operation.query)) {
    if (roll.happens(0.4)) pairs.push(pair(name, String(validValue(name, schema, world, roll))));
  }
  if (isWrong) {
    const names = Object.keys(operation.query);
    const name =
      names.length > 0 && roll.happens(0.85)
        ? roll.pick(names)
        : roll.pick(['unknown', '__proto__', 'cursor', 'limit', 'tenant_id', 'user_id']);
    about.push(`query ${name}`);
    const text = hostileText(roll, all);
    const shape = roll.int(10);
    if (shape === 0) pairs.push(pair(name, text), pair(name, text));
    else if (shape === 1)
      pairs.push(
        roll.pick([
          `${name}[]=1`,
          `${name}[a]=1`,
          `${name}=%zz`,
          `${name}=%ff`,
          `${name}`,
          `&&&${name}==&`,
          `=${name}`,
        ]),
      );
    else pairs.push(pair(name, text));
  }
  return pairs.length > 0 ? `?${pairs.join('&')}` : '';
}

function pair(name: string, value: string): string {
  return `${name}=${encodeURIComponent(value.toWellFormed())}`;
}

function bodyOf(
  operation: FuzzedOperation,
  world: World,
  roll: Dice,
  wrongPart: Part,
  headers: Record<string, string>,
  all: readonly string[],
  about: string[],
): FuzzRequest['body'] {
  if (operation.body === null && operation.rawType === null) {
    if (!roll.happens(0.1)) return null;
    about.push('a body where none is read');
    headers['content-type'] = 'application/json';
    return '{"a":1}';
  }
  const value = operation.body === null ? {} : validObject(operation.body, world, roll);
  if (wrongPart === 'fields' && operation.body !== null) spoil(value, operation.body, roll, all, about);
  const json = JSON.stringify(value);
  if (wrongPart === 'body') {
    const { body, type } = hostileBody(roll, json);
    about.push(`body of ${body.length} as ${type.slice(0, 40)}`);
    if (!roll.happens(0.05))
      headers['content-type'] = operation.rawType !== null && roll.happens(0.7) ? operation.rawType : type;
    return body;
  }
  headers['content-type'] = operation.rawType ?? 'application/json';
  return json;
}

/** Makes one to three fields missing, unknown or something else. */
function spoil(
  value: Record<string, unknown>,
  schema: Schema,
  roll: Dice,
  all: readonly string[],
  about: string[],
): void {
  const names = Object.keys(schema.properties ?? {});
  for (let times = 1 + roll.int(3); times > 0; times--) {
    const name =
      names.length > 0 && roll.happens(0.85)
        ? roll.pick(names)
        : roll.pick(['unknown', 'role', 'user_id', 'tenant_id', 'status', ...TEXTS.slice(9, 12)]);
    const inner = value[name];
    const innerSchema = schema.properties?.[name];
    if (roll.happens(0.15)) {
      delete value[name];
      about.push(`${name} missing`);
    } else if (isRecord(inner) && innerSchema?.properties !== undefined && roll.happens(0.7)) {
      spoil(inner, innerSchema, roll, all, about);
    } else {
      Object.defineProperty(value, name, {
        value: hostileValue(roll, all),
        enumerable: true,
        configurable: true,
        writable: true,
      });
      about.push(`${name} = ${(JSON.stringify(value[name]) ?? 'nothing').slice(0, 60)}`);
    }
  }
}

function validObject(schema: Schema, world: World, roll: Dice): Record<string, unknown> {
  const value = validValue('', schema, world, roll);
  return isRecord(value) ? value : {};
}

/** A value that the schema takes, as far as a schema can tell. */
export function validValue(name: string, schema: Schema, world: World, roll: Dice): unknown {
  const ids = world.ids[name];
  if (ids !== undefined && ids.length > 0) return roll.pick(ids);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return roll.pick(schema.enum);
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) return validValue(name, roll.pick(alternatives), world, roll);
  const type = Array.isArray(schema.type) ? roll.pick(schema.type) : schema.type;
  switch (type) {
    case 'object': {
      const required = new Set(schema.required ?? []);
      const members = Object.entries(schema.properties ?? {}).filter(
        ([member]) => required.has(member) || roll.happens(0.4),
      );
      return Object.fromEntries(members.map(([member, inner]) => [member, validValue(member, inner, world, roll)]));
    }
    case 'array':
      return Array.from({ length: 1 + roll.int(2) }, () => validValue('', schema.items ?? {}, world, roll));
    case 'integer':
    case 'number':
      return Math.max(schema.minimum ?? 0, 1) + roll.int(10);
    case 'boolean':
      return roll.happens(0.5);
    case 'null':
      return null;
    default:
      return validText(name, schema, roll);
  }
}

const BY_NAME: Readonly<Record<string, string>> = {
  phone: '+919876543210',
  email: 'someone@example.com',
  pan: 'ABCDE1234F',
  period: '30d',
  currency: 'INR',
  share_pct: '50',
  default_share_pct: '50.00',
  limit: '10',
  domain: 'shop.example.com',
  accent: '#aabbcc',
  time_zone: 'Asia/Kolkata',
  month: '2026-10',
};

function validText(name: string, schema: Schema, roll: Dice): string {
  const known = BY_NAME[name];
  if (known !== undefined) return known;
  if (schema.format === 'date-time') return `20${27 + roll.int(9)}-0${1 + roll.int(9)}-11T10:00:00Z`;
  if (schema.format === 'uuid') return '7b0c2a8e-3f10-4a3a-9b57-0d4a5be3c001';
  if (schema.format === 'uri' || name.endsWith('url')) return 'https://shop.example.com/';
  return `Text ${roll.int(1_000)}`.slice(0, schema.maxLength ?? 20);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
