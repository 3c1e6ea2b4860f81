import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { REPOSITORY } from '../scripts/stack/paths.ts';
import { type Figure, type Log, median } from './figures.ts';

const REQUESTS = 10_000;
const WARM_UP = 2_000;
const ROUNDS = 4;
const CONNECTIONS = 32;
/** Linux counts a process's time in these, in microseconds. */
const TICK_US = 10_000;
const STARTED_WITHIN_MS = 20_000;
const BROWSER =
  'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36';

/** What KV holds for every slug. */
const LINK = {
  v: 1,
  id: '00000000-0000-4000-8000-000000000001',
  t: '00000000-0000-4000-8000-000000000002',
  u: 'https://network.example/click?campaign_id=1&pub_id=2',
  s: 'active',
};

const CONSTANT = `export default { fetch: () => new Response(null, { status: 302, headers: { Location: 'https://network.example/click' } }) };`;
const KV = `export default { fetch: () => new Response(${JSON.stringify(JSON.stringify(LINK))}) };`;
/** Counts what a producer sends, so that no click can be lost unseen. */
const QUEUE = `let seen = 0;
export default { async fetch(request) {
  const { pathname } = new URL(request.url);
  if (pathname === '/seen') return new Response(String(seen));
  const count = pathname === '/batch' ? (await request.json()).messages.length : 1;
  seen += count;
  return Response.json({ metadata: { metrics: { backlogCount: 0, backlogBytes: 0, oldestMessageTimestamp: 0 } } });
} };`;

/**
 * CPU time of one redirect with everything on, against a constant 302, both on plain workerd (facts: through the local runtime each request costs far more
 * than the redirect itself), in turns; and the size of the bundle.
 * @throws Error where the system does not tell a process's time
 */
export async function benchRedirect(log: Log): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'hissaback-bench-'));
  const servers: Server[] = [];
  try {
    log('bundling');
    const wrangler = join(REPOSITORY, 'node_modules/.bin/wrangler');
    const config = join(REPOSITORY, 'workers/redirect/wrangler.toml');
    execFileSync(
      process.execPath,
      [wrangler, 'deploy', '--dry-run', '--outdir', join(folder, 'redirect'), '-c', config],
      {
        stdio: 'pipe',
        env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: '1' },
      },
    );
    const bundle = readFileSync(join(folder, 'redirect', 'index.js'));
    const constant = await start(folder, 'constant', false);
    servers.push(constant);
    const ours = await start(folder, 'redirect', true);
    servers.push(ours);
    cpuOf(ours.pid);

    const cookie = await ours.cookie();
    await constant.load(WARM_UP, {});
    await ours.load(WARM_UP, {});
    const costs = { constant: [] as number[], newcomer: [] as number[], visitor: [] as number[] };
    for (let round = 0; round < ROUNDS; round++) {
      costs.constant.push(await constant.load(REQUESTS, {}));
      costs.newcomer.push(await ours.load(REQUESTS, {}));
      costs.visitor.push(await ours.load(REQUESTS, { cookie }));
      log(
        `round ${round + 1} of ${ROUNDS}: ${(costs.constant.at(-1) ?? 0).toFixed(0)} us the constant 302, ${(costs.newcomer.at(-1) ?? 0).toFixed(0)} us ours`,
      );
    }
    // With the one that saw the server start, and the one that fetched the cookie.
    const clicks = 2 + WARM_UP + 2 * ROUNDS * REQUESTS;
    const seen = await ours.clicksSeen(clicks);
    const ratio = (list: number[]) => median(list.map((value, round) => value / (costs.constant[round] ?? Number.NaN)));
    return [
      { what: 'constant 302 on workerd, CPU a request', value: `${median(costs.constant).toFixed(0)} us` },
      { what: 'redirect, new visitor, CPU a request', value: `${median(costs.newcomer).toFixed(0)} us` },
      { what: 'as a multiple of the constant 302', value: ratio(costs.newcomer).toFixed(2), aim: 'at most 1.5' },
      { what: 'redirect, known visitor, as a multiple', value: ratio(costs.visitor).toFixed(2), aim: 'at most 1.5' },
      { what: 'clicks in the queue of those sent', value: `${seen} of ${clicks}` },
      { what: 'redirect bundle', value: `${kilobytes(bundle.length)}, ${kilobytes(gzipSync(bundle).length)} gzipped` },
    ];
  } finally {
    for (const server of servers) server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1_000).toFixed(1)} kB`;
}

type Server = Awaited<ReturnType<typeof start>>;

/** A workerd with one worker behind one port; ours has KV and queue from small workers in the same process. */
async function start(folder: string, name: 'constant' | 'redirect', isOurs: boolean) {
  const [port, side] = [await freePort(), await freePort()];
  const key = () => `1:${randomBytes(32).toString('base64url')}`;
  const module = (file: string) =>
    `modules = [(name = "index.js", esModule = embed "${file}")], compatibilityDate = "2026-10-01"`;
  mkdirSync(join(folder, name), { recursive: true });
  if (!isOurs) writeFileSync(join(folder, name, 'index.js'), CONSTANT);
  writeFileSync(join(folder, 'kv.js'), KV);
  writeFileSync(join(folder, 'queue.js'), QUEUE);
  const bindings = `, bindings = [
      (name = "LINKS", kvNamespace = "kv"), (name = "CLICKS", queue = "queue"), (name = "PLATFORM_HOSTS", text = "127.0.0.1"),
      (name = "REFERENCE_KEYS", text = "${key()}"), (name = "VISITOR_KEYS", text = "${key()}")]`;
  const file = join(folder, `${name}.capnp`);
  writeFileSync(
    file,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (${module(`${name}/index.js`)}${isOurs ? bindings : ''})),
    (name = "kv", worker = (${module('kv.js')})),
    (name = "queue", worker = (${module('queue.js')}))],
  sockets = [
    (name = "http", address = "127.0.0.1:${port}", http = (), service = "main"),
    (name = "side", address = "127.0.0.1:${side}", http = (), service = "queue")]);
`,
  );
  const child: ChildProcess = spawn(join(REPOSITORY, 'node_modules/.bin/workerd'), ['serve', file], { stdio: 'pipe' });
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  const stop = () => {
    child.kill('SIGKILL');
  };
  const origin = `http://127.0.0.1:${port}`;
  const get = (headers: Record<string, string> = {}) =>
    fetch(`${origin}/demo`, { redirect: 'manual', headers: { 'user-agent': BROWSER, ...headers } });
  for (const deadline = performance.now() + STARTED_WITHIN_MS; ; ) {
    const answer = await get({ 'user-agent': 'curl/8' }).catch(() => null);
    if (answer?.status === 302) break;
    if (child.exitCode !== null || performance.now() > deadline) {
      stop();
      throw new Error(`workerd did not start: ${said || `it answers ${answer?.status}`}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  // The process that serves may be a child of the one that was started.
  const pid = servingPid(child.pid ?? 0);
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  return {
    pid,
    stop,
    cookie: async () => (await get()).headers.get('set-cookie')?.split(';')[0] ?? '',
    /** Microseconds of CPU a request. */
    load: async (count: number, headers: Record<string, string>): Promise<number> => {
      const before = cpuOf(pid);
      let left = count;
      const worker = async () => {
        while (left-- > 0) await once(agent, port, { 'user-agent': BROWSER, ...headers });
      };
      await Promise.all(Array.from({ length: CONNECTIONS }, worker));
      return (cpuOf(pid) - before) / count;
    },
    /** What arrived in the queue, once the last batch has. */
    clicksSeen: async (expected: number): Promise<number> => {
      for (let attempt = 0; ; attempt++) {
        const seen = Number(await (await fetch(`http://127.0.0.1:${side}/seen`)).text());
        if (seen >= expected || attempt >= 50) return seen;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
  };
}

function once(agent: Agent, port: number, headers: Record<string, string>): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path: '/demo', agent, headers }, (answer) => {
      answer.resume();
      answer.once('end', () =>
        answer.statusCode === 302 ? resolve() : reject(new Error(`answered ${answer.statusCode}`)),
      );
    });
    call.once('error', reject);
    call.end();
  });
}

/** Microseconds of CPU that a process has used. */
function cpuOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * TICK_US;
  } catch {
    throw new Error("this system does not tell a process's time in /proc: run it on Linux");
  }
}

function servingPid(pid: number): number {
  try {
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    return child === undefined || child === '' ? pid : servingPid(Number(child));
  } catch {
    return pid;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}
