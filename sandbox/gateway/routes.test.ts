import { expect, test } from 'vitest';
import { targetOf } from './routes.ts';

test.each([
  ['/v1/events/conversion', 'webhook'],
  ['/v1/events/sms', 'webhook'],
  ['/v1/events/click', 'api'],
  ['/v1/events/conversion/x', 'api'],
  ['/', 'api'],
  ['/admin', 'api'],
  ['/admin/reviews', 'api'],
  ['/creator', 'api'],
  ['/c/asha', 'api'],
  ['/docs', 'api'],
  ['/widget.js', 'api'],
  ['/assets/site.css', 'api'],
  ['/.well-known/jwks.json', 'api'],
  ['/robots.txt', 'api'],
  ['/healthz', 'api'],
  ['/favicon.ico', 'api'],
  ['/metrics', 'redirect'],
  ['/diwali', 'redirect'],
  ['/adminton-rackets', 'redirect'],
  ['/creators', 'redirect'],
  ['/docsis', 'redirect'],
  ['/c', 'api'],
  ['/cheap', 'redirect'],
])('%s is served by %s', (pathname, target) => {
  expect(targetOf(pathname)).toBe(target);
});
