import { isBot } from './bots.ts';

export type Device = 'mobile' | 'tablet' | 'desktop' | 'bot' | 'other';

/** The kind of device behind a user agent, as far as it says. An iPad in its default setting says it is a Mac. */
export function deviceOf(userAgent: string): Device {
  if (isBot(userAgent)) return 'bot';
  if (/ipad|tablet|kindle|silk\/|playbook|android(?!.*mobi)/i.test(userAgent)) return 'tablet';
  if (/mobi|iphone|ipod|android|opera mini|windows phone/i.test(userAgent)) return 'mobile';
  if (/windows nt|macintosh|x11|cros|linux/i.test(userAgent)) return 'desktop';
  return 'other';
}

/** The mobile system behind a user agent, for links that lead to another place on each. */
export function mobileSystemOf(userAgent: string): 'ios' | 'android' | null {
  if (/windows phone/i.test(userAgent)) return null;
  if (/iphone|ipad|ipod/i.test(userAgent)) return 'ios';
  return /android/i.test(userAgent) ? 'android' : null;
}
