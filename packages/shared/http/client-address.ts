import ipaddr from 'ipaddr.js';

/**
 * The client's address by `CF-Connecting-IP`, in one spelling each: IPv4 dotted, IPv6 shortened in lower case, an IPv4 address in IPv6 clothes as IPv4.
 * Null if the header is missing or no address.
 */
export function clientAddress(headers: Headers): string | null {
  const text = headers.get('cf-connecting-ip')?.trim() ?? '';
  if (text.includes('%') || (!text.includes(':') && !/^\d{1,3}(?:\.\d{1,3}){3}$/.test(text))) return null;
  if (!ipaddr.isValid(text)) return null;
  return ipaddr.process(text).toString();
}

/** True for the machine itself. At the edge no client has such an address; on one machine every tool does. @param address as `clientAddress` gives it */
export function isLoopback(address: string | null): boolean {
  return address !== null && /^(?:127\.|::1$)/.test(address);
}

/**
 * What limits count by: an IPv4 address, or the /64 an IPv6 address lies in, since one subscriber holds all of it. Requests without an address share one count.
 *
 * @param address as `clientAddress` gives it
 */
export function limitKey(address: string | null): string {
  if (address === null) return 'unknown';
  const parsed = ipaddr.parse(address);
  if (!(parsed instanceof ipaddr.IPv6)) return address;
  return `${new ipaddr.IPv6([...parsed.parts.slice(0, 4), 0, 0, 0, 0]).toString()}/64`;
}
