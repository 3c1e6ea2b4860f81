import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files in the order of their names, but the one that stops the stack at the end. */
class RestartLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const key = ({ moduleId }: TestSpecification) => `${moduleId.includes('restart') ? 1 : 0}${moduleId}`;
    return files.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
  }
}

// The whole platform as a stranger would start it, driven from outside.
export default defineConfig({
  root: `${import.meta.dirname}/../..`,
  test: {
    name: 'e2e',
    include: ['tests/e2e/**/*.test.ts'],
    globalSetup: ['tests/e2e/support/global-setup.ts'],
    // Schedules and faults are the whole stack's: one file after the other.
    fileParallelism: false,
    // Most of a test is waiting for a queue.
    maxConcurrency: 16,
    experimental: { viteModuleRunner: false },
    // None of these changes a module's state: the files share their processes.
    isolate: false,
    sequence: { sequencer: RestartLast },
    // A machine may be slow.
    testTimeout: 180_000,
    hookTimeout: 150_000,
  },
});
