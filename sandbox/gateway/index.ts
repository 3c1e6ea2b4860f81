import { type RunReport, SCHEDULES, type ScheduledWorker } from '@hissaback/shared/contracts/schedules';
import { targetOf } from './routes.ts';

type SchedulesEntrypoint = { run(name: string): Promise<RunReport> };

type Env = {
  API: Fetcher;
  WEBHOOK: Fetcher;
  REDIRECT: Fetcher;
  API_SCHEDULES: SchedulesEntrypoint;
  WEBHOOK_SCHEDULES: SchedulesEntrypoint;
  PAYOUT_SCHEDULES: SchedulesEntrypoint;
  CLICKS: Queue;
  POSTBACKS: Queue;
};

function schedulesOf(env: Env, worker: ScheduledWorker): SchedulesEntrypoint {
  return { api: env.API_SCHEDULES, webhook: env.WEBHOOK_SCHEDULES, 'payout-cron': env.PAYOUT_SCHEDULES }[worker];
}

async function runSchedule(name: string, request: Request, env: Env): Promise<Response> {
  const schedule = SCHEDULES.find((candidate) => candidate.name === name);
  if (!schedule) return Response.json({ error: `no schedule is called ${name}` }, { status: 404 });
  if (request.method !== 'POST') return new Response(null, { status: 405, headers: { allow: 'POST' } });
  let report: RunReport;
  try {
    report = await schedulesOf(env, schedule.worker).run(name);
  } catch (error) {
    report = { schedule: name, ok: false, counts: {}, error: error instanceof Error ? error.message : String(error) };
  }
  return Response.json(report, { status: report.ok ? 200 : 500 });
}

async function backlog(env: Env): Promise<Response> {
  const [clicks, postbacks] = await Promise.all([env.CLICKS.metrics(), env.POSTBACKS.metrics()]);
  return Response.json({ clicks: clicks.backlogCount, postbacks: postbacks.backlogCount });
}

/**
 * The body, read to its end: a worker that answers before it has read it all, as it does to one that is too large, would break the client's
 * connection here. In production the network in front of the workers sees to that.
 */
async function wholeBody(request: Request): Promise<{ body?: ArrayBuffer }> {
  const takesBody = request.method !== 'GET' && request.method !== 'HEAD';
  return request.body === null || !takesBody ? {} : { body: await request.arrayBuffer() };
}

export default {
  // For "/cdn-cgi/local/scheduled", which the runtime answers by itself: the stack fires its schedules at /__cron/.
  scheduled() {},
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === '/__queues') return backlog(env);
    if (pathname.startsWith('/__cron/')) return runSchedule(pathname.slice('/__cron/'.length), request, env);
    const worker = { api: env.API, webhook: env.WEBHOOK, redirect: env.REDIRECT }[targetOf(pathname)];
    // The runtime invents a `cf` object (a network, a place in Texas); only what the client's headers say is passed on.
    return worker.fetch(new Request(request, { cf: {}, redirect: 'manual', ...(await wholeBody(request)) }));
  },
} satisfies ExportedHandler<Env>;
