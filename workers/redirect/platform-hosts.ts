import { normalizeHost } from '@hissaback/shared/domain/host';

let last: { text: string; hosts: ReadonlySet<string> } = { text: '', hosts: new Set() };

/** True if `host` (normalised) is one of the platform's own, given their comma-separated list. */
export function isPlatformHost(list: string, host: string): boolean {
  if (last.text !== list) {
    last = { text: list, hosts: new Set(list.split(',').map((entry) => normalizeHost(entry.trim()))) };
  }
  return last.hosts.has(host);
}
