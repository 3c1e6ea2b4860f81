import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { TestServer } from '../../tests/support/postgres.ts';
import { REPOSITORY } from '../stack/paths.ts';

export type SharedPostgres = {
  server: TestServer;
  stop(): Promise<void>;
};

const START_LIMIT = 90_000;

/**
 * Starts the PostgreSQL that the projects of a run share.
 * @throws Error with what it said, if it does not come up
 */
export async function startSharedPostgres(env: NodeJS.ProcessEnv): Promise<SharedPostgres> {
  const child = spawn(process.execPath, [join(REPOSITORY, 'scripts/testing/test-postgres.ts')], {
    cwd: REPOSITORY,
    env,
    // The channel breaks when this process is killed, and the server is stopped.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    detached: true,
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    said = (said + chunk).slice(-4000);
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async () => {
    child.kill('SIGTERM');
    await exited;
  };
  const server = await Promise.race([
    new Promise<TestServer>((resolve) => child.once('message', (message) => resolve(message as TestServer))),
    exited.then(() => null),
    new Promise<null>((resolve) => setTimeout(resolve, START_LIMIT, null).unref()),
  ]);
  if (server !== null) return { server, stop };
  await stop();
  throw new Error(`PostgreSQL for the tests did not start\n${said}`);
}
