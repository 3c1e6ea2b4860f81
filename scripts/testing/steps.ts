import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { REPOSITORY } from '../stack/paths.ts';

/** One part of `npm test`, by the name it is asked for. */
export type Step =
  | { name: string; kind: 'check'; command: string; args: string[]; cwd: string }
  | { name: string; kind: 'vitest'; config: string; needsPostgres: boolean; alone: boolean };

/** The project of the root's vitest.config.ts. */
const ROOT_PROJECT = 'unit';
/** Starts the whole stack, whose deadlines want both processors. */
const ALONE = 'tests/e2e';
const IGNORED = new Set(['node_modules', 'dist', 'coverage']);

/** Files of the checkout that fit a pattern, as paths from its top, without what is installed or generated. */
export function checkoutFiles(pattern: string): string[] {
  return globSync(pattern, {
    cwd: REPOSITORY,
    exclude: (name) => IGNORED.has(name) || (name.startsWith('.') && name !== '.'),
  }).sort();
}

const bin = (name: string): string => join(REPOSITORY, 'node_modules', '.bin', name);

/**
 * Every step, found and not listed: each tsconfig.*.json, each generated env.d.ts and each vitest.config.ts of the checkout is one.
 * @throws Error for an env.d.ts that does not say how it was generated
 */
export function findSteps(): Step[] {
  return [
    { name: 'biome', kind: 'check', command: bin('biome'), args: ['ci', '.'], cwd: REPOSITORY },
    ...typeChecks(),
    ...environmentChecks(),
    ...vitestProjects(),
  ];
}

function typeChecks(): Step[] {
  return checkoutFiles('tsconfig.*.json')
    .filter((file) => file !== 'tsconfig.base.json')
    .map((file) => ({
      name: `types/${file.split('.')[1]}`,
      kind: 'check',
      command: bin('tsc'),
      args: ['--project', file],
      cwd: REPOSITORY,
    }));
}

function environmentChecks(): Step[] {
  return checkoutFiles('**/env.d.ts').map((file) => {
    const cwd = join(REPOSITORY, dirname(file));
    const command = /`wrangler (types .+?)`/.exec(readFileSync(join(REPOSITORY, file), 'utf8'))?.[1];
    if (command === undefined) throw new Error(`${file} does not say how wrangler generated it`);
    return {
      name: `env-types/${dirname(file)}`,
      kind: 'check',
      command: bin('wrangler'),
      args: [...command.split(' '), '--check'],
      cwd,
    };
  });
}

function vitestProjects(): Step[] {
  const projects = checkoutFiles('**/vitest.config.ts').map((config) => {
    const folder = dirname(config);
    return {
      name: folder === '.' ? ROOT_PROJECT : folder,
      kind: 'vitest' as const,
      config,
      needsPostgres: readFileSync(join(REPOSITORY, config), 'utf8').includes('postgres-setup'),
      alone: folder === ALONE,
    };
  });
  return projects.sort((a, b) => a.name.localeCompare(b.name));
}
