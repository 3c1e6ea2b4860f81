import ipaddr from 'ipaddr.js';

/** A list of CIDR ranges, IPv4 and IPv6. */
export type Allowlist = { has(address: string | null): boolean };

/**
 * Parses a comma-separated list of addresses and CIDR ranges. An empty list allows nobody.
 *
 * @param address as `clientAddress` gives it
 * @throws RangeError naming the entry that is neither
 */
export function parseAllowlist(text: string): Allowlist {
  const ranges = text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map(parseRange);
  return {
    has(address) {
      if (address === null || !ipaddr.isValid(address)) return false;
      const parsed = ipaddr.process(address);
      return ranges.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits));
    },
  };
}

function parseRange(entry: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  try {
    if (entry.includes('/')) return ipaddr.parseCIDR(entry);
    const address = ipaddr.process(entry);
    return [address, address.kind() === 'ipv4' ? 32 : 128];
  } catch {
    throw new RangeError(`not an address or CIDR range: ${entry.slice(0, 64)}`);
  }
}
