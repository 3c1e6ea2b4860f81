import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { REPOSITORY } from './stack/paths.ts';
import { startChild } from './testing/child-process.ts';

const LIMIT_BYTES = 20_000;

test('the redirect worker, as it is deployed, is below 20 KB gzipped and has no database driver and no zod in it', {
  timeout: 120_000,
}, async () => {
  const out = mkdtempSync(join(tmpdir(), 'hissaback-bundle-'));
  try {
    const wrangler = join(REPOSITORY, 'node_modules/.bin/wrangler');
    const config = join(REPOSITORY, 'workers/redirect/wrangler.toml');
    const args = [wrangler, 'deploy', '--dry-run', '--config', config, '--outdir', out, '--metafile'];
    const env = { ...process.env, CI: '1', WRANGLER_SEND_METRICS: 'false', WRANGLER_LOG_PATH: out };
    const { code, output } = await startChild({ command: process.execPath, args, env, limit: 90_000 }).ended;
    expect(code, output).toBe(0);

    expect(gzipSync(readFileSync(join(out, 'index.js'))).length).toBeLessThan(LIMIT_BYTES);
    const { inputs } = JSON.parse(readFileSync(join(out, 'bundle-meta.json'), 'utf8')) as { inputs: object };
    const packages = Object.keys(inputs).flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
    const ours = new Set(packages.filter((name) => name !== 'wrangler'));
    expect([...ours].sort()).toEqual(['hono']);
    expect(Object.keys(inputs).filter((path) => /packages\/shared\/(?:db|clients)\//.test(path))).toEqual([]);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
});
