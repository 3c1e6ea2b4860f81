import { databaseBinding, openDatabase } from '@hissaback/shared/db/client';
import { recordDeliveryReports } from '@hissaback/shared/db/queries/delivery-reports';
import { type DeliveryReport, readDeliveryReports } from '@hissaback/shared/domain/delivery-report';
import { readBytes } from '@hissaback/shared/http/body';
import { createLog } from '@hissaback/shared/http/log';
import { ProblemError } from '@hissaback/shared/http/problem';
import { authenticate } from './authenticate.ts';
import type { Deps } from './deps.ts';

/** The most that one call's body may have, in bytes. */
const BODY_LIMIT = 262_144;

/**
 * `POST /v1/events/sms`: the SMS gateway tells what became of messages. A 200 means that it is written down; reports on messages that are not ours, or that
 * say nothing final, are passed by. Neither the phone numbers in them nor anything else that is not needed is kept or logged.
 */
export async function takeDeliveryReports(request: Request, env: WebhookEnv, deps: Deps): Promise<Response> {
  await authenticate(request, env.SMS_REPORT_TOKENS);
  const reports = readDeliveryReports(await readBody(request));
  if (reports === null) throw new ProblemError('body_too_large', { detail: 'Send fewer reports at once.' });
  const changed = reports.length === 0 ? 0 : await record(env, deps, reports);
  const log = createLog({ clock: deps.clock, service: 'webhook' });
  if (changed > 0) log.info('sms_reports_taken', { reports: reports.length, changed });
  return Response.json({ status: 'ok' }, { headers: { 'cache-control': 'no-store' } });
}

async function record(env: WebhookEnv, deps: Deps, reports: readonly DeliveryReport[]): Promise<number> {
  const db = openDatabase(databaseBinding(env), { random: deps.random });
  try {
    return await db.transaction((tx) => recordDeliveryReports(tx, reports, deps.clock.now()));
  } catch {
    throw new ProblemError('unavailable', { detail: 'Send it again.', headers: { 'retry-after': '30' } });
  } finally {
    await db.end();
  }
}

async function readBody(request: Request): Promise<unknown> {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  const text = new TextDecoder().decode(await readBytes(request, { maxBytes: BODY_LIMIT }));
  if (type === 'application/x-www-form-urlencoded') return Object.fromEntries(new URLSearchParams(text));
  if (type !== 'application/json') throw new ProblemError('unsupported_media_type', { detail: 'Send a form or JSON.' });
  try {
    return JSON.parse(text);
  } catch {
    throw new ProblemError('malformed_json', { detail: 'The body is not valid JSON.' });
  }
}
