import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type DataPaths, dataPaths } from './paths.ts';
import { signal, startOf, until } from './process-identity.ts';
import { MARKER, RunRecord } from './run-record.ts';

let paths: DataPaths;
const started: number[] = [];

beforeEach(() => {
  paths = dataPaths(mkdtempSync(join(tmpdir(), 'hissaback-run-')));
});
afterEach(() => {
  for (const pid of started.splice(0)) signal(pid, 'SIGKILL');
});

/** A process that lives until it is told to end, as a worker left over from a killed stack does. */
function sleeper(env: Record<string, string> = {}): number {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { env, stdio: 'ignore' });
  const pid = child.pid ?? 0;
  started.push(pid);
  return pid;
}

const isGone = (pid: number) => until(() => startOf(pid) === undefined, 3000);
const silent = () => {};

test('after a SIGKILL the next start removes stack.json and ends the children of that run', async () => {
  const left = sleeper({ [MARKER]: paths.root });
  writeFileSync(paths.stackFile, '{}');
  writeFileSync(
    paths.runFile,
    JSON.stringify({
      supervisor: { name: 'stack', pid: 2 ** 22 - 1, start: 'long ago' },
      children: [{ name: 'workers', pid: left, start: startOf(left) }],
    }),
  );
  const record = await RunRecord.claim(paths, silent);
  expect(existsSync(paths.stackFile)).toBe(false);
  expect(record.swept).toBe(1);
  expect(await isGone(left)).toBe(true);
  record.release();
});

test('a process that has taken over a recorded pid, and another stack’s children, are left alone', async () => {
  const stranger = sleeper();
  const other = sleeper({ [MARKER]: `${paths.root}-other` });
  writeFileSync(
    paths.runFile,
    JSON.stringify({
      supervisor: { name: 'stack', pid: stranger, start: 'before the stranger began' },
      children: [{ name: 'workers', pid: stranger, start: 'before the stranger began' }],
    }),
  );
  const record = await RunRecord.claim(paths, silent);
  expect(record.swept).toBe(0);
  expect(startOf(stranger)).toBeDefined();
  expect(startOf(other)).toBeDefined();
  record.release();
});

test('a second stack on one DATA_DIR is refused while the first runs, and let in once it has stopped', async () => {
  const first = await RunRecord.claim(paths, silent);
  const kept = readFileSync(paths.runFile, 'utf8');
  await expect(RunRecord.claim(paths, silent, 50)).rejects.toThrow(/already runs/);
  expect(readFileSync(paths.runFile, 'utf8')).toBe(kept);
  first.release();
  const second = await RunRecord.claim(paths, silent, 50);
  second.release();
});

test('a run.json cut short by a crash does not keep the next start out', async () => {
  writeFileSync(paths.runFile, '{"superv');
  const record = await RunRecord.claim(paths, silent, 50);
  record.release();
  expect(existsSync(paths.runFile)).toBe(false);
});
