import { type Checksum, changedTables } from './checksum.ts';
import { type Dice, dice } from './dice.ts';
import { type FuzzAnswer, judge } from './judge.ts';
import type { FuzzedOperation } from './operations.ts';
import { type FuzzRequest, hostileRequest, type World } from './request.ts';

export type FuzzTarget = {
  operations: readonly FuzzedOperation[];
  /** Makes new things to name and tokens to speak with; some of the old ones may be used up. */
  world(): Promise<World>;
  /** Null if such a request cannot even be sent. */
  send(request: FuzzRequest): Promise<FuzzAnswer | null>;
  /** Changes with every row of the database. */
  checksum(): Promise<Checksum>;
  /** Milliseconds without a change after which what was accepted counts as done; absent if nothing goes on behind an answer. */
  quietMs?: number;
  /** Called now and then. */
  told?(sent: number, byStatus: ReadonlyMap<number, number>): void;
};

export type FuzzReport = {
  sent: number;
  byStatus: Map<number, number>;
  /** Operations that no request was sent to. */
  missed: string[];
  failures: string[];
  slowest: { milliseconds: number; about: string };
};

export type FuzzOptions = {
  seed: number;
  requests: number;
  /** Requests at once. */
  lanes: number;
  /** Stop after this many milliseconds. */
  within?: number;
  failuresAtMost?: number;
};

const BATCH = 24;
const WORLD_LASTS = 480;
const MOST_WAITS = 50;

/**
 * Sends hostile requests over all operations in turn and judges the answers. After every batch in which nothing that may change something was accepted the
 * database must be as it was.
 */
export async function fuzz(target: FuzzTarget, options: FuzzOptions): Promise<FuzzReport> {
  const roll: Dice = dice(options.seed);
  const report: FuzzReport = {
    sent: 0,
    byStatus: new Map(),
    missed: [],
    failures: [],
    slowest: { milliseconds: 0, about: '' },
  };
  const met = new Set<FuzzedOperation>();
  const began = performance.now();
  let world = await target.world();
  let before = await settled(target);
  for (let next = 0; report.sent < options.requests; ) {
    if (report.failures.length >= (options.failuresAtMost ?? 20)) break;
    if (options.within !== undefined && performance.now() - began > options.within) break;
    const batch = Array.from({ length: Math.min(BATCH, options.requests - report.sent) }, () => {
      const operation = target.operations[next++ % target.operations.length];
      if (operation === undefined) throw new RangeError('there are no operations');
      met.add(operation);
      return hostileRequest(operation, world, roll);
    });
    const accepted = await sendAll(target, batch, options.lanes, report);
    const after = accepted ? await settled(target) : await target.checksum();
    const changed = accepted ? [] : changedTables(before, after);
    if (changed.length > 0)
      report.failures.push(
        `${changed.join(', ')} changed although all of these were refused:\n  ${batch.map(({ about }) => about).join('\n  ')}`,
      );
    before = after;
    target.told?.(report.sent, report.byStatus);
    if (report.sent % WORLD_LASTS < batch.length) {
      world = await target.world();
      before = await settled(target);
    }
  }
  report.missed = target.operations.filter((each) => !met.has(each)).map(({ method, path }) => `${method} ${path}`);
  return report;
}

/** The checksum once nothing changes any more. */
async function settled(target: FuzzTarget): Promise<Checksum> {
  const { quietMs } = target;
  let before = await target.checksum();
  for (let waits = 0; quietMs !== undefined && waits < MOST_WAITS; waits++) {
    await new Promise((soon) => setTimeout(soon, quietMs));
    const after = await target.checksum();
    if (changedTables(before, after).length === 0) return after;
    before = after;
  }
  return before;
}

/** True if one of them that may change something was accepted. */
async function sendAll(
  target: FuzzTarget,
  batch: readonly FuzzRequest[],
  lanes: number,
  report: FuzzReport,
): Promise<boolean> {
  const queue = [...batch];
  let accepted = false;
  const lane = async () => {
    for (let request = queue.shift(); request; request = queue.shift()) {
      report.sent++;
      const answer = await target.send(request);
      if (answer === null) continue;
      report.byStatus.set(answer.status, (report.byStatus.get(answer.status) ?? 0) + 1);
      if (answer.milliseconds > report.slowest.milliseconds)
        report.slowest = { milliseconds: answer.milliseconds, about: request.about };
      if (answer.status < 400 && !['GET', 'HEAD', 'OPTIONS'].includes(request.method)) accepted = true;
      const wrong = judge(answer, request.method, request.path);
      if (wrong !== null)
        report.failures.push(
          `${request.about}\n  ${request.method} ${request.path.slice(0, 300)}\n  ${preview(request)}\n  ${wrong}`,
        );
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return accepted;
}

function preview({ body, headers }: FuzzRequest): string {
  const { authorization: _, ...rest } = headers;
  const text = typeof body === 'string' ? body : body === null ? '' : `bytes ${[...body.slice(0, 20)].join(' ')}`;
  return `${JSON.stringify(rest).slice(0, 300)} ${text.slice(0, 500)}`;
}
