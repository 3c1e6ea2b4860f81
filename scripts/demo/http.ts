import { check } from './step.ts';

export type Call = {
  method?: 'GET' | 'POST';
  token?: string;
  json?: unknown;
  signal: AbortSignal;
};

/** The JSON that a URL answers. Throws StepFailed for any status but 200. */
export async function callJson<T>(url: string, { method = 'GET', token, json, signal }: Call): Promise<T> {
  const answer = await fetch(url, {
    method,
    signal,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(json !== undefined && { 'content-type': 'application/json' }),
    },
    ...(json !== undefined && { body: JSON.stringify(json) }),
  });
  const text = await answer.text();
  check(answer.status === 200, `${method} ${new URL(url).pathname} answered ${answer.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text) as T;
}

/** Where a smart link leads a shopper with a telephone. Throws StepFailed unless it is a 302. */
export async function follow(url: string, signal: AbortSignal): Promise<URL> {
  const userAgent = 'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/141.0 Mobile Safari/537.36';
  const answer = await fetch(url, { redirect: 'manual', signal, headers: { 'user-agent': userAgent } });
  await answer.arrayBuffer();
  const location = URL.parse(answer.headers.get('location') ?? '');
  check(answer.status === 302 && location !== null, `${url} answered ${answer.status} instead of leading to the offer`);
  return location;
}
