import { createServer } from 'node:net';
import { StackFailure } from './failure.ts';

export const DEFAULT_PORT = 8787;
/** PORT and this many ports above it belong to one stack. */
export const PORTS_ABOVE = 40;

const OFFSETS = { gateway: 0, postgres: 1, agcod: 2, trackier: 3, sms: 4, pager: 5, inspector: 6, dns: 7 } as const;

export type PortName = keyof typeof OFFSETS;
export type Ports = Record<PortName, number>;

/** The ports of the stack whose origin is at `PORT`. Throws StackFailure for anything but a usable port number. */
export function portsOf(setting: string | undefined): Ports {
  const base = setting ? Number(setting) : DEFAULT_PORT;
  if (!Number.isInteger(base) || base < 1 || base + PORTS_ABOVE > 65_535) {
    throw new StackFailure(
      `PORT=${setting} cannot be used`,
      `Choose a whole number from 1 to ${65_535 - PORTS_ABOVE}: PORT=8900 npm start`,
    );
  }
  return Object.fromEntries(Object.entries(OFFSETS).map(([name, offset]) => [name, base + offset])) as Ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** Throws StackFailure naming the ports among `wanted` that something else listens on. */
export async function assertFree(ports: Ports, wanted: readonly PortName[]): Promise<void> {
  const taken: string[] = [];
  for (const name of wanted) if (!(await isFree(ports[name]))) taken.push(`${ports[name]} (${name})`);
  if (taken.length === 0) return;
  const another = ports.gateway + PORTS_ABOVE + 60;
  throw new StackFailure(
    `Port ${taken.join(', ')} is in use by another program`,
    `Stop that program, or give this stack other ports: PORT=${another > 65_000 ? DEFAULT_PORT : another} npm start`,
  );
}
