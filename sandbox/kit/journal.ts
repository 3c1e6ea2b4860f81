import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

/**
 * An append-only file of JSON lines. `append` has handed the line to the kernel when it returns, so what was answered
 * survives a killed process.
 */
export type Journal<T> = {
  /** What the file held when it was opened, oldest first. */
  entries: readonly T[];
  append(entry: T): void;
  /** Replaces the whole content in one step. */
  rewrite(entries: Iterable<T>): void;
  close(): void;
};

/** Opens the journal at `path`; a last line that a crash cut short is dropped. */
export function openJournal<T>(path: string): Journal<T> {
  mkdirSync(dirname(path), { recursive: true });
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole !== text) replaceFile(path, whole);
  const entries = whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line): T => JSON.parse(line));
  let file = openSync(path, 'a', 0o600);
  return {
    entries,
    append(entry) {
      writeSync(file, `${JSON.stringify(entry)}\n`);
    },
    rewrite(next) {
      closeSync(file);
      let content = '';
      for (const entry of next) content += `${JSON.stringify(entry)}\n`;
      replaceFile(path, content);
      file = openSync(path, 'a', 0o600);
    },
    close() {
      closeSync(file);
    },
  };
}

function replaceFile(path: string, content: string): void {
  writeFileSync(`${path}.new`, content, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
