import { deviceOf } from '@hissaback/shared/domain/device';
import { expect, it } from 'vitest';
import { DeviceCache } from './device-cache.ts';
import { PERSON } from './stage.fake.ts';

it('says what the user agent says, the first time and again, however many there are', () => {
  const devices = new DeviceCache();
  for (let round = 0; round < 3; round++)
    for (const agent of [PERSON, 'Googlebot/2.1', 'Mozilla/5.0 (Windows NT 10.0)', '', 'x'.repeat(9_000)])
      expect(devices.of(agent)).toBe(deviceOf(agent));
  for (let agent = 0; agent < 2_500; agent++) expect(devices.of(`iPhone ${agent}`)).toBe('mobile');
  expect(devices.of(PERSON)).toBe('mobile');
});
