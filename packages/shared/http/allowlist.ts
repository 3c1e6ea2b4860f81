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
  const [address = '', bits] = entry.split('/');
  try {
    // `10/8` would be read as 0.0.0.10/8.
    if (!address.includes(':') && address.split('.').length !== 4) throw new Error('not four numbers');
    const [network, length] = ipaddr.parseCIDR(
      bits === undefined ? `${address}/${address.includes(':') ? 128 : 32}` : entry,
    );
    // An address is looked up as IPv4 even where it comes in IPv6 clothes: so is a range.
    if (network instanceof ipaddr.IPv6 && network.isIPv4MappedAddress() && length >= 96)
      return [network.toIPv4Address(), length - 96];
    return [network, length];
  } catch {
    throw new RangeError(`not an address or CIDR range: ${entry.slice(0, 64)}`);
  }
}
