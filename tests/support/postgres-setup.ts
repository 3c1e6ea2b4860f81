import type { TestProject } from 'vitest/node';
import { startTestServer, type TestServer } from './postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    postgres: TestServer;
  }
}

/** Vitest's globalSetup: one PostgreSQL for the whole run. A test file asks for it by `inject('postgres')`. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { stop, ...server } = await startTestServer();
  project.provide('postgres', server);
  return stop;
}
