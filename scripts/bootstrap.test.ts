import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { REPOSITORY } from './stack/paths.ts';
import { startChild } from './testing/child-process.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A checkout with one script, and an npm that installs nothing but this Node. */
function checkout(): { root: string; lock: string; env: NodeJS.ProcessEnv } {
  const root = mkdtempSync(join(tmpdir(), 'hissaback-bootstrap-'));
  folders.push(root);
  for (const folder of ['scripts', '.tmp', 'bin']) mkdirSync(join(root, folder));
  cpSync(join(REPOSITORY, 'scripts/bootstrap.mjs'), join(root, 'scripts/bootstrap.mjs'));
  cpSync(join(REPOSITORY, 'package-lock.json'), join(root, 'package-lock.json'));
  writeFileSync(join(root, 'scripts/hello.ts'), "console.log('hello')\n");
  const npm = join(root, 'bin/npm');
  writeFileSync(npm, `#!/bin/sh\nmkdir -p node_modules/.bin && ln -sf '${process.execPath}' node_modules/.bin/node\n`);
  chmodSync(npm, 0o755);
  const path = [join(root, 'bin'), dirname(process.execPath), process.env.PATH].join(delimiter);
  return { root, lock: join(root, '.tmp/install.lock'), env: { ...process.env, PATH: path } };
}

const LONG_AGO = new Date('2026-01-01T00:00:00Z');

test.each([
  ['nobody', null],
  ['a process that is gone', '999999999'],
  ['a program that is no installation, under a number used again', String(process.pid)],
  ['somebody who died before writing a number', ''],
])(
  'the packages are installed and the script is run: the lock is held by %s',
  { timeout: 60_000 },
  async (_, holder) => {
    const { root, lock, env } = checkout();
    if (holder !== null) writeFileSync(lock, holder);
    if (holder === '') utimesSync(lock, LONG_AGO, LONG_AGO);
    const args = [join(root, 'scripts/bootstrap.mjs'), 'hello'];
    const { code, output } = await startChild({ command: process.execPath, args, env, cwd: root, limit: 40_000 }).ended;
    expect(code, output).toBe(0);
    expect(output).toMatch(/Installing the packages[\s\S]*hello/);
  },
);
