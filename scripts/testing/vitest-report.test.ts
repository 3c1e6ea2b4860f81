import { expect, test } from 'vitest';
import { countsOf, isGreen, sumOf } from './outcome.ts';
import { readVitestRun, type VitestReport, type VitestRun } from './vitest-report.ts';

const file = (...tests: [name: string, status: string][]): VitestReport['testResults'][number] => ({
  name: '/repo/a.test.ts',
  status: tests.some(([, status]) => status === 'failed') ? 'failed' : 'passed',
  message: '',
  assertionResults: tests.map(([fullName, status]) => ({ fullName, status, failureMessages: ['why'] })),
});
const run = (testResults: VitestReport['testResults'], further: Partial<VitestRun> = {}) =>
  readVitestRun({
    ...{ step: 'unit', root: '/repo', report: { testResults }, exitedWell: true },
    ...{ ending: 'ended with code 1', output: 'last words', byName: false, mayBeEmpty: false, ...further },
  });

test('tests that passed are counted', () => {
  const outcome = run([file(['a', 'passed'], ['b', 'passed'])]);
  expect(countsOf(outcome)).toBe('2 passed, 0 failed');
  expect(isGreen(outcome)).toBe(true);
});

test('a failed test is named with its message and how to run it again', () => {
  const { failures } = run([file(['a', 'passed'], ["it's b", 'failed'])], { exitedWell: false });
  expect(failures).toEqual([
    { name: "unit > a.test.ts > it's b", message: 'why', rerun: `npm test -- unit 'it'\\''s b'` },
  ]);
});

test.each(['skipped', 'pending', 'todo', 'disabled'])('a test that is %s is no success', (status) => {
  const outcome = run([file(['a', 'passed'], ['b', status])]);
  expect(countsOf(outcome)).toBe('1 passed, 0 failed, 1 skipped');
  expect(isGreen(outcome)).toBe(false);
});

test('of a run by name the tests that were not asked for are left out', () => {
  expect(countsOf(run([file(['a', 'passed'], ['b', 'skipped'])], { byName: true }))).toBe('1 passed, 0 failed');
});

test('a project without a test is a failure, unless another may have what was asked for', () => {
  expect(run([]).failures).toMatchObject([{ name: 'unit', message: expect.stringContaining('no test was found') }]);
  expect(isGreen(run([], { mayBeEmpty: true }))).toBe(true);
});

test('a file that cannot be loaded is a failure', () => {
  const broken = { ...file(), status: 'failed', message: 'no such module' };
  expect(run([broken]).failures).toMatchObject([{ name: 'unit > a.test.ts', message: 'no such module' }]);
});

test('a runner that dies without a report is a failure', () => {
  const { failures } = run([], { report: null, exitedWell: false, ending: 'was ended by SIGKILL' });
  expect(failures).toMatchObject([{ name: 'unit', message: expect.stringContaining('was ended by SIGKILL') }]);
});

test('an error outside every test is a failure although all tests passed', () => {
  const outcome = run([file(['a', 'passed'])], { exitedWell: false });
  expect(countsOf(outcome)).toBe('1 passed, 1 failed');
  expect(outcome.failures[0]?.message).toContain('last words');
});

test('a project without a test is a failure', () => {
  expect(countsOf(run([]))).toBe('0 passed, 1 failed');
});

test('the whole is green only if every part is', () => {
  const [good, bad] = [run([file(['a', 'passed'])]), run([file(['b', 'failed'])])];
  expect(isGreen(sumOf([good, good]))).toBe(true);
  expect(countsOf(sumOf([good, bad]))).toBe('1 passed, 1 failed');
  expect(isGreen(sumOf([good, bad]))).toBe(false);
});
