import { expect, it } from 'vitest';
import { deviceOf, mobileSystemOf } from './device.ts';

it.each([
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148', 'mobile', 'ios'],
  ['Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/141.0 Mobile Safari/537.36', 'mobile', 'android'],
  ['Mozilla/5.0 (Linux; Android 14; SM-X910) Chrome/141.0 Safari/537.36', 'tablet', 'android'],
  ['Mozilla/5.0 (iPad; CPU OS 16_0 like Mac OS X) Mobile/15E148', 'tablet', 'ios'],
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/141.0.0.0', 'desktop', null],
  ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15', 'desktop', null],
  ['Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) Chrome/141.0.0.0', 'desktop', null],
  ['Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Lumia) Mobile', 'mobile', null],
  ['Opera/9.80 (J2ME/MIDP; Opera Mini/9.80) Presto/2.5.25', 'mobile', null],
  ['Googlebot/2.1', 'bot', null],
  ['curl/8.5.0', 'other', null],
  ['', 'other', null],
])('%s is %s on %s', (userAgent, device, system) => {
  expect(deviceOf(userAgent)).toBe(device);
  expect(mobileSystemOf(userAgent)).toBe(system);
});
