import { readFileSync } from 'node:fs';
import type { TestProject } from 'vitest/node';
import type { StackFile } from '../../../scripts/stack/stack-file.ts';
import { createPlatform } from './platform.ts';
import { freshPlace, removePlace, type StackPlace, startStack } from './stack-process.ts';

declare module 'vitest' {
  interface ProvidedContext {
    stack: StackFile;
    /** Where it runs, and its process; null where it is not the suite's own and must not be stopped. */
    place: (StackPlace & { pid: number }) | null;
    /** An operator's access token: a phone may ask for few codes an hour, so all files share one login. */
    operatorToken: string;
  }
}

/** One stack for the whole suite. E2E_STACK, the path of a running stack's stack.json, is used instead while tests are written. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const running = process.env.E2E_STACK;
  if (running) {
    await provide(project, JSON.parse(readFileSync(running, 'utf8')));
    project.provide('place', null);
    return async () => undefined;
  }
  const place = await freshPlace();
  const started = await startStack(place).catch((error) => {
    removePlace(place);
    throw error;
  });
  const end = async () => {
    await started.stop();
    removePlace(place);
  };
  try {
    await provide(project, started.stack);
    project.provide('place', { ...place, pid: started.pid });
  } catch (error) {
    await end();
    throw error;
  }
  return end;
}

async function provide(project: TestProject, stack: StackFile): Promise<void> {
  const platform = createPlatform(stack, '');
  try {
    const { token } = await platform.logIn(stack.operatorPhone);
    project.provide('stack', stack);
    project.provide('operatorToken', token);
  } finally {
    await platform.close();
  }
}
