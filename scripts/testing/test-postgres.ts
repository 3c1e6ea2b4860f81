// One PostgreSQL for all projects of a run, in a process of its own: it ends with the process that started it, however that one ends.
import { startTestServer } from '../../tests/support/postgres.ts';

const starting = startTestServer();
let stopping = false;

async function leave(): Promise<void> {
  if (stopping) return;
  stopping = true;
  const server = await starting.catch(() => null);
  await server?.stop();
  process.exit(0);
}
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => void leave());
process.on('disconnect', () => void leave());

try {
  const { stop: _, ...server } = await starting;
  process.send?.(server);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
