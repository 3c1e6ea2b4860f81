import ipaddr from 'ipaddr.js';

/** `public`: https to public addresses only. `any`: http and private addresses too, for a stack on one machine. */
export type WebhookTargets = 'public' | 'any';

const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');
const NOT_PUBLIC = /(?:^|\.)(?:localhost|local|localdomain|internal|intranet|lan|home|corp|test|invalid|onion|arpa)$/;

/** A setting's text; anything but `any` is `public`. */
export function webhookTargets(setting: string): WebhookTargets {
  return setting === 'any' ? 'any' : 'public';
}

/** Why a URL may not be called, or null if it may as far as its text says; what its name resolves to is `isPublicAddress`'s question. */
export function targetRefusal(text: string, targets: WebhookTargets): string | null {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '') return 'Must be a URL without credentials';
  if (targets === 'any') return null;
  if (url.protocol !== 'https:') return 'Must be https';
  const host = url.hostname.replace(/\.$/, '').replace(/^\[(.*)\]$/, '$1');
  if (ipaddr.isValid(host)) return isPublicAddress(host) ? null : 'Must be a public address';
  if (!host.includes('.') || NOT_PUBLIC.test(host)) return 'Must be a public address';
  return null;
}

/** The name in a URL that has to be resolved, or null if it holds an address itself. */
export function nameIn(text: string): string | null {
  const host = URL.parse(text)?.hostname.replace(/\.$/, '') ?? '';
  return host === '' || host.startsWith('[') || ipaddr.isValid(host) ? null : host;
}

/** True for an address on the open internet: no private, local, shared, documentation, multicast or tunnelled one. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  // Of IPv6 nothing outside 2000::/3 is handed out; ::127.0.0.1 is an old way to write an IPv4 address.
  const isHandedOut = !(parsed instanceof ipaddr.IPv6) || parsed.match(GLOBAL_UNICAST);
  return isHandedOut && parsed.range() === 'unicast';
}
