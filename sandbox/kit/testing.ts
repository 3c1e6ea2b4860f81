import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A directory that is gone when the test is over. */
export function temporaryDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'sandbox-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Posts JSON and reads a JSON answer. */
export async function post(url: string, value: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(value),
  });
  return { status: response.status, body: await readBody(response) };
}

/** Gets a JSON answer. */
export async function get(url: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, { headers });
  return { status: response.status, body: await readBody(response) };
}

async function readBody(response: Response) {
  // Tests look into answers of every shape; a wrong path in one fails its expectation.
  return JSON.parse(await response.text());
}

/** Asks until `holds` answers something, at most five seconds. */
export async function eventually<T>(holds: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 5000;
  for (;;) {
    const value = await holds();
    if (value !== undefined) return value;
    if (Date.now() > deadline) throw new Error('it did not happen within five seconds');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
