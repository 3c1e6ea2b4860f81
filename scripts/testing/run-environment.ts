import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pidsWithEnvironment, signal, until } from '../stack/process-identity.ts';

/** Every process of a run carries the run's folder under this name, so that none is left behind. */
const MARKER = 'HISSABACK_TEST_RUN';

/** Where a run keeps what it writes, and the environment of everything it starts. */
export type RunEnvironment = {
  folder: string;
  env: NodeJS.ProcessEnv;
  /** Ends what is still running after `patience` milliseconds, then deletes the folder. Answers how many had to be ended. */
  clear(patience: number): Promise<number>;
};

/** Variables of the caller that would make the tests another platform's: a database, a port, another mode. */
const FOREIGN =
  /^(?:PORT|DATA_DIR|CRONS|DATABASE_URL|NODE_OPTIONS|NODE_ENV|VITEST.*|TEST_.*|FORCE_COLOR|CLOUDFLARE_.*|WRANGLER_.*)$/;

export function openRunEnvironment(): RunEnvironment {
  const folder = mkdtempSync(join(tmpdir(), 'hissaback-test-'));
  chmodSync(folder, 0o755); // PostgreSQL may run as another user
  const inherited = Object.entries(process.env).filter(([name]) => !FOREIGN.test(name));
  const env: NodeJS.ProcessEnv = {
    ...Object.fromEntries(inherited),
    [MARKER]: folder,
    TMPDIR: folder,
    XDG_CONFIG_HOME: join(folder, 'config'),
    CI: 'true',
    NO_COLOR: '1',
    WRANGLER_LOG_PATH: join(folder, 'wrangler'),
    WRANGLER_REGISTRY_PATH: join(folder, 'registry'),
    WRANGLER_SEND_METRICS: 'false',
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  };
  return {
    folder,
    env,
    async clear(patience) {
      const left = () => pidsWithEnvironment(MARKER, folder);
      await until(() => left().length === 0, patience);
      const found = left();
      for (const pid of found) signal(pid, 'SIGTERM');
      if (!(await until(() => left().length === 0, 5000))) for (const pid of left()) signal(pid, 'SIGKILL');
      await until(() => left().length === 0, 2000);
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
      return found.length;
    },
  };
}
