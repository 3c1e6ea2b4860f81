import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { StackFailure } from './failure.ts';

/** The system user that runs PostgreSQL, which refuses root; `undefined` means this process's own user. */
export type Account = { uid: number; gid: number } | undefined;

const CANDIDATES = ['postgres', 'nobody'];

function lookUp(user: string): Account {
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
