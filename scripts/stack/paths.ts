import { isAbsolute, join, resolve } from 'node:path';

/** The checkout's top folder. */
export const REPOSITORY = resolve(import.meta.dirname, '../..');

/** Where one stack keeps everything: the one place that names the files of a DATA_DIR. */
export type DataPaths = {
  root: string;
  /** What outside tools read; present only while the stack answers. */
  stackFile: string;
  secrets: string;
  /** Who runs on this DATA_DIR, for the next start after a SIGKILL. */
  runFile: string;
  /** The access token of the seeded operator, for commands. */
  operatorToken: string;
  postgres: string;
  sandbox: string;
  logs: string;
  wrangler: string;
  /** KV, Durable Objects and R2. */
  state: string;
  cache: string;
};

/** The layout of a DATA_DIR; a relative one counts from the checkout, wherever the command was typed. */
export function dataPaths(dataDir: string): DataPaths {
  const root = isAbsolute(dataDir) ? resolve(dataDir) : resolve(REPOSITORY, dataDir);
  return {
    root,
    stackFile: join(root, 'stack.json'),
    secrets: join(root, 'secrets.json'),
    runFile: join(root, 'run.json'),
    operatorToken: join(root, 'operator-token'),
    postgres: join(root, 'postgres'),
    sandbox: join(root, 'sandbox'),
    logs: join(root, 'logs'),
    wrangler: join(root, 'wrangler'),
    state: join(root, 'state'),
    cache: join(root, 'cache'),
  };
}
