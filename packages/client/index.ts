import type { createApp } from '@hissaback/api/app';
import { hc } from 'hono/client';
import { problemOf } from './problem.ts';
import { AccessToken } from './token.ts';

export { ApiProblem, type ProblemBody } from './problem.ts';

type App = ReturnType<typeof createApp>;
type Fetch = (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>;

export type ClientOptions = {
  /** A token from an earlier login, or an API key. */
  token?: string;
  /** How requests are sent; the global `fetch` unless told. */
  fetch?: Fetch;
};

/** What an answer holds, where its status is a success. */
type Held<Answer> = Answer extends { json(): Promise<infer Body> } ? Body : never;

/**
 * The API with the types of its own routes. Requests carry the token; one that is refused is renewed once by the refresh cookie and the request sent again.
 *
 * @param origin such as `https://hissaback.app`
 */
export function createClient(origin: string, options: ClientOptions = {}) {
  const send: Fetch = options.fetch ?? ((input, init) => fetch(input, init));
  const token = new AccessToken(origin, options.token ?? null, send);

  const authorized = (
    input: RequestInfo | URL,
    init: RequestInit | undefined,
    jwt: string | null,
  ): Promise<Response> => {
    const headers = new Headers(init?.headers);
    if (jwt !== null) headers.set('authorization', `Bearer ${jwt}`);
    return send(input, { ...init, headers });
  };
  const sendWithToken: Fetch = async (input, init) => {
    const jwt = token.current;
    const answer = await authorized(input, init, jwt);
    if (answer.status !== 401 || jwt === null || jwt.startsWith('hbk_')) return answer;
    const fresh = await token.renewed(jwt);
    return fresh === null ? answer : authorized(input, init, fresh);
  };

  return {
    /** Every route, by its path: `api.v1.campaigns[':campaign_id'].$get({ param: { campaign_id } })`. */
    api: hc<App>(origin, { fetch: sendWithToken }),
    /** Speaks with this token from now on; null for none. */
    useToken: (jwt: string | null): void => token.set(jwt),
    /** The token that is used now. */
    token: (): string | null => token.current,
  };
}

export type Client = ReturnType<typeof createClient>;

/**
 * What an answer holds.
 *
 * @throws ApiProblem if the API has refused
 */
export async function read<Answer extends { ok: boolean; json(): Promise<unknown> }>(
  pending: Answer | Promise<Answer>,
): Promise<Held<Answer>> {
  const answer = await pending;
  if (!answer.ok) throw await problemOf(answer as unknown as Response);
  return (await answer.json()) as Held<Answer>;
}

/** The cursor of the next page of a list, or null on its last. */
export function nextCursor(answer: { headers: Headers }): string | null {
  const next = /<([^>]+)>;\s*rel="next"/.exec(answer.headers.get('link') ?? '')?.[1];
  return next === undefined ? null : (URL.parse(next)?.searchParams.get('cursor') ?? null);
}

/** The header with which a POST is carried out once, however often it is sent: `api.v1.links.$post({ json }, onceOnly())`. */
export function onceOnly(key: string = crypto.randomUUID()): { headers: Record<string, string> } {
  return { headers: { 'Idempotency-Key': key } };
}
