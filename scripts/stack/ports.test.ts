import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { assertFree, PORTS_ABOVE, portsOf } from './ports.ts';

test('a stack without PORT answers at 8787', () => {
  expect(portsOf(undefined).gateway).toBe(8787);
});

test('every port of a stack is its own and lies in PORT .. PORT + 40', () => {
  const ports = Object.values(portsOf('9000'));
  expect(new Set(ports).size).toBe(ports.length);
  for (const port of ports) expect(port).toBeGreaterThanOrEqual(9000);
  for (const port of ports) expect(port).toBeLessThanOrEqual(9000 + PORTS_ABOVE);
});

test.each(['abc', '0', '-1', '80.5', '65530', '70000'])('PORT=%s is refused', (setting) => {
  expect(() => portsOf(setting)).toThrow(/PORT=/);
});

test('a port in use is named, with the way out', async () => {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });
  const ports = { ...portsOf(undefined), gateway: port };
  await expect(assertFree(ports, ['gateway'])).rejects.toMatchObject({
    message: expect.stringContaining(`${port} (gateway)`),
    next: expect.stringContaining('PORT='),
  });
  await new Promise((resolve) => server.close(resolve));
  await expect(assertFree(ports, ['gateway'])).resolves.toBeUndefined();
});
