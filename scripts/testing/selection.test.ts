import { expect, test } from 'vitest';
import { select } from './selection.ts';

const STEPS = ['biome', 'types/node', 'types/workers', 'unit', 'workers/api', 'workers/redirect', 'tests/e2e'];

test('without arguments every step is meant', () => {
  expect(select(STEPS, [])).toEqual({ steps: STEPS, filter: undefined });
});

test.each<[string[], string[], string | undefined]>([
  [['unit'], ['unit'], undefined],
  [['types'], ['types/node', 'types/workers'], undefined],
  [['workers'], ['types/workers', 'workers/api', 'workers/redirect'], undefined],
  [['workers/api'], ['workers/api'], undefined],
  [['workers/api/'], ['workers/api'], undefined],
  [['e2e'], ['tests/e2e'], undefined],
  [['unit', 'biome'], ['biome', 'unit'], undefined],
  [['e2e', 'two orders'], ['tests/e2e'], 'two orders'],
])('%j selects %j with the filter %j', (args, steps, filter) => {
  expect(select(STEPS, args)).toEqual({ steps, filter });
});

test.each([[['nothing']], [['unit', 'a', 'b']]])('%j is refused, and the steps there are are named', (args) => {
  expect(() => select(STEPS, args)).toThrow(/Steps: biome, .*tests\/e2e/);
});
