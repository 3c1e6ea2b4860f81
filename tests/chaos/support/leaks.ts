import { type Dirent, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a claim code of the stand-in looks like. */
const CODE = /[A-Z0-9]{4}-[A-Z0-9]{6}-[A-Z0-9]{4}/g;

/** Files below the folders that hold a claim code: logs, queues, objects, the database with its log. Answers them; none may. */
export function leaks(folders: readonly string[], codes: ReadonlySet<string>): string[] {
  return folders.flatMap((folder) =>
    filesBelow(folder)
      .filter(
        (file) =>
          readFileSync(file, 'latin1')
            .match(CODE)
            ?.some((code) => codes.has(code)) ?? false,
      )
      .map((file) => `a claim code is in ${file}`),
  );
}

function filesBelow(folder: string): string[] {
  const entries: Dirent[] = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
