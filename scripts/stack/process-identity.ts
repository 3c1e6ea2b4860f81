import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const ON_LINUX = process.platform === 'linux';

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/**
 * When the process `pid` began, as an opaque text that a later process with the same pid does not share;
 * undefined if there is none (a zombie counts as none).
 */
export function startOf(pid: number): string | undefined {
  if (!ON_LINUX) {
    const ps = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
    return ps === '' || ps.startsWith('Z') ? undefined : ps.replace(/^\S+\s+/, '');
  }
  // The command's name may hold blanks and brackets: the fields begin behind its last bracket.
  const fields = readOrEmpty(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? [];
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

/** The command line of a process, blanks between its arguments; empty if it is gone. */
export function commandOf(pid: number): string {
  if (ON_LINUX) return readOrEmpty(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
  return spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
}

/** Pids of this user's processes whose environment holds `name=value`. Empty where the system has no /proc. */
export function pidsWithEnvironment(name: string, value: string): number[] {
  if (!ON_LINUX) return [];
  const wanted = `${name}=${value}`;
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((entry) => readOrEmpty(`/proc/${entry}/environ`).split('\0').includes(wanted))
    .map(Number)
    .filter((pid) => pid !== process.pid && startOf(pid) !== undefined);
}

/** Sends a signal to a process, or to a group if `pid` is negative; false if nobody was there to receive it. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/** Waits until `condition` holds, asking every 25 ms; false when `within` milliseconds have passed first. */
export async function until(condition: () => boolean, within: number): Promise<boolean> {
  const deadline = performance.now() + within;
  while (!condition()) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return true;
}
