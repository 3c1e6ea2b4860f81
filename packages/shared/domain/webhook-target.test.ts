import { expect, test } from 'vitest';
import { isPublicAddress, nameIn, targetRefusal, webhookTargets } from './webhook-target.ts';

test.each([
  'https://hooks.asha.example/in',
  'https://hooks.asha.example:8443/in?x=1',
  'https://8.8.8.8/',
  'https://[2606:4700::1111]/',
])('%s may be called', (url) => {
  expect(targetRefusal(url, 'public')).toBeNull();
});

test.each([
  'http://hooks.asha.example/',
  'ftp://hooks.asha.example/',
  'https://user:pw@hooks.asha.example/',
  'https://localhost/',
  'https://localhost./',
  'https://db.internal/',
  'https://printer.local/',
  'https://intranet/',
  'https://127.0.0.1/',
  'https://127.1/',
  'https://2130706433/',
  'https://0x7f000001/',
  'https://0177.0.0.1/',
  'https://10.0.0.1/',
  'https://172.16.0.1/',
  'https://192.168.1.1/',
  'https://169.254.169.254/latest/meta-data',
  'https://100.64.0.1/',
  'https://0.0.0.0/',
  'https://224.0.0.1/',
  'https://[::1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[::127.0.0.1]/',
  'https://[fd00::1]/',
  'https://[fe80::1]/',
  'https://[64:ff9b::7f00:1]/',
  'not a url',
])('%s is refused', (url) => {
  expect(targetRefusal(url, 'public')).not.toBeNull();
});

test('a stack on one machine may call itself, but never with credentials', () => {
  expect(targetRefusal('http://127.0.0.1:9000/hook', 'any')).toBeNull();
  expect(targetRefusal('http://a:b@127.0.0.1/', 'any')).not.toBeNull();
  expect([webhookTargets('any'), webhookTargets('public'), webhookTargets('')]).toEqual(['any', 'public', 'public']);
});

test('a name is resolved, an address is judged as it stands', () => {
  expect(nameIn('https://hooks.asha.example:8443/in')).toBe('hooks.asha.example');
  expect(nameIn('https://8.8.8.8/')).toBeNull();
  expect(nameIn('https://[::1]/')).toBeNull();
  expect(['8.8.8.8', '10.1.2.3', '::1', 'x'].map(isPublicAddress)).toEqual([true, false, false, false]);
});
