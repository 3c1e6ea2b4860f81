import { createConfig, lintFromString } from '@redocly/openapi-core';
import spectral from '@stoplight/spectral-core';
import { oas } from '@stoplight/spectral-rulesets';
import { describe, expect, test } from 'vitest';
import { openApi } from './app.fake.ts';

async function redocly(document: object): Promise<string[]> {
  const config = await createConfig({ extends: ['recommended'] });
  const problems = await lintFromString({ source: JSON.stringify(document), config });
  return problems.map(({ ruleId, message, location }) => `${ruleId} ${location[0]?.pointer}: ${message}`);
}

async function spectralOas(document: object): Promise<string[]> {
  const linter = new spectral.Spectral();
  linter.setRuleset({ extends: [oas as never] });
  const problems = await linter.run({ ...document });
  return problems.map(({ code, message, path }) => `${code} ${path.join('/')}: ${message}`);
}

describe.each([
  ['Redocly, by its recommended rules', redocly],
  ['Spectral, by its rules for OpenAPI', spectralOas],
])('%s', (_name, lint) => {
  test('finds neither an error nor a warning in the description', async () => {
    expect(await lint(openApi)).toEqual([]);
  });

  test('would find one', async () => {
    expect(await lint({ ...openApi, paths: { '/v1/x': { get: { responses: {} } } } })).not.toEqual([]);
  });
});
