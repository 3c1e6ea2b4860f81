import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { StackFile } from './stack-file.ts';

const SMS_WITHIN_MS = 15_000;
/** Codes are few an hour and a phone: an operator's command that runs often would soon get none. */
const SPARE_MS = 60_000;

type Message = { text: string; kind: string };
type Place = Pick<StackFile, 'origin' | 'sandbox' | 'operatorPhone'>;

/**
 * An access token of the local stack's operator: the one in `file` as long as it is valid there, else of a new login with the code from the SMS sandbox,
 * which is put into `file`.
 * @throws Error that says what was answered
 */
export async function operatorToken(stack: Place, file: string): Promise<string> {
  const kept = readToken(file);
  if (kept !== null && (await opens(stack, kept))) return kept;
  const token = await logIn(stack);
  const draft = `${file}.new`;
  writeFileSync(draft, token, { mode: 0o600 });
  renameSync(draft, file);
  return token;
}

function readToken(file: string): string | null {
  try {
    const token = readFileSync(file, 'utf8').trim();
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { exp?: unknown };
    return typeof claims.exp === 'number' && claims.exp * 1_000 > Date.now() + SPARE_MS ? token : null;
  } catch {
    return null;
  }
}

/** False for a token of another stack's keys, or of a session that has ended. */
async function opens({ origin }: Place, token: string): Promise<boolean> {
  const answer = await fetch(`${origin}/v1/unmatched?limit=1`, { headers: { authorization: `Bearer ${token}` } });
  await answer.arrayBuffer();
  return answer.ok;
}

async function logIn({ origin, sandbox, operatorPhone }: Place): Promise<string> {
  const inbox = async (): Promise<Message[]> =>
    (await (await fetch(`${sandbox.sms}/messages?to=${encodeURIComponent(operatorPhone)}`)).json()) as Message[];
  const before = (await inbox()).length;
  const { request_id } = await post<{ request_id: string }>(`${origin}/v1/auth/otp/request`, { phone: operatorPhone });
  for (const deadline = Date.now() + SMS_WITHIN_MS; Date.now() < deadline; ) {
    const code = /\b\d{6}\b/.exec((await inbox()).slice(before).at(-1)?.text ?? '')?.[0];
    if (code !== undefined)
      return (await post<{ jwt: string }>(`${origin}/v1/auth/otp/verify`, { request_id, code })).jwt;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error('no code arrived for the operator');
}

async function post<T>(url: string, json: unknown): Promise<T> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(json),
  });
  if (!answer.ok) throw new Error(`${new URL(url).pathname} answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}
