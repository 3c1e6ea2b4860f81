import { afterAll, inject } from 'vitest';
import { expectCleanBooks } from './books.ts';
import { createPlatform, type Platform } from './platform.ts';

/** The suite's stack, for one test file; after its last test the books are audited. */
export function openSuite(): Platform {
  const on = createPlatform(inject('stack'), inject('operatorToken'));
  afterAll(async () => {
    try {
      await expectCleanBooks(on);
    } finally {
      await on.close();
    }
  });
  return on;
}
