import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { REPOSITORY } from './paths.ts';
import { CONFIG_FOLDERS, WORKERS, type WorkerName, type WranglerConfig } from './worker-config.ts';

export type CommittedConfigs = Record<WorkerName, WranglerConfig>;

const tomlOf = (worker: WorkerName) => resolve(REPOSITORY, CONFIG_FOLDERS[worker], 'wrangler.toml');

function readCache(file: string, key: string): CommittedConfigs | undefined {
  try {
    const cache = JSON.parse(readFileSync(file, 'utf8'));
    return cache.key === key ? cache.configs : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The workers' wrangler.toml files as wrangler itself reads them. They are kept in `cacheFile` until one changes: loading
 * wrangler for its reader costs more than a second of a warm start.
 */
export async function committedConfigs(cacheFile: string): Promise<CommittedConfigs> {
  const texts = WORKERS.map((worker) => readFileSync(tomlOf(worker), 'utf8'));
  const key = createHash('sha256').update(JSON.stringify(texts)).digest('hex');
  const cached = readCache(cacheFile, key);
  if (cached) return cached;
  const { experimental_readRawConfig } = await import('wrangler');
  const entries = WORKERS.map((worker) => [worker, experimental_readRawConfig({ config: tomlOf(worker) }).rawConfig]);
  const configs = Object.fromEntries(entries) as CommittedConfigs;
  mkdirSync(dirname(cacheFile), { recursive: true });
  writeFileSync(cacheFile, JSON.stringify({ key, configs }));
  return configs;
}
