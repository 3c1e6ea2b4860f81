import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { StackFailure } from './failure.ts';

/** The system user that runs PostgreSQL, which refuses root; `undefined` means this process's own user. */
export type Account = { uid: number; gid: number } | undefined;

const CANDIDATES = ['postgres', 'nobody'];

/** A local user's ids from the text of /etc/passwd; undefined if it names none. */
export function accountIn(passwd: string, user: string): Account {
  const fields = passwd
    .split('\n')
    .find((line) => line.startsWith(`${user}:`))
    ?.split(':');
  const [uid, gid] = [Number(fields?.[2] || Number.NaN), Number(fields?.[3] || Number.NaN)];
  return Number.isInteger(uid) && Number.isInteger(gid) ? { uid, gid } : undefined;
}

/** The file first: the program `id`, which also asks a directory service, may not be on this PATH. */
function lookUp(user: string): Account {
  try {
    const local = accountIn(readFileSync('/etc/passwd', 'utf8'), user);
    if (local) return local;
  } catch {
    // no such file: ask the system
  }
  const id = (flag: string) => spawnSync('id', [flag, user], { encoding: 'utf8' });
  const [uid, gid] = [id('-u'), id('-g')];
  if (uid.status !== 0 || gid.status !== 0) return undefined;
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

/** Who runs PostgreSQL on `dataDir`. Throws StackFailure if nobody can. */
export function accountFor(dataDir: string): Account {
  const owner = statSync(dataDir, { throwIfNoEntry: false });
  if (process.getuid?.() !== 0) {
    if (owner && owner.uid !== process.getuid?.()) {
      throw new StackFailure(
        `${dataDir} belongs to another user (it was made by one, or by root)`,
        'Start as that user again, or use another place: DATA_DIR=.data-2 npm start',
      );
    }
    return undefined;
  }
  // Data made before, perhaps by the same person without sudo, stays with its owner.
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  for (const user of CANDIDATES) {
    const account = lookUp(user);
    if (account && account.uid !== 0) return account;
  }
  throw new StackFailure(
    'PostgreSQL does not run as root, and this system has no user "postgres" or "nobody" to run it as',
    'Add one (useradd --system postgres), or start as a user other than root',
  );
}

/** Whether the account can get into a folder, whatever its ancestors' modes and access lists say. */
export function canEnter(account: Account, folder: string): boolean {
  return spawnSync('/bin/sh', ['-c', 'cd "$0"', folder], { ...account, cwd: '/' }).status === 0;
}
