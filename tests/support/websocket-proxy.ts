import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

const HANDSHAKE = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'; // RFC 6455, section 1.3
const BINARY = 2;
const CLOSE = 8;

export type WebSocketProxy = {
  /** `host:port/path`, as Neon's driver wants it. */
  address: string;
  /** How many WebSockets were opened so far. */
  opened(): number;
  stop(): Promise<void>;
};

/** WebSocket to TCP, as Neon's proxy does it: `/?address=<host>:<port>`, bytes in binary frames. For servers on 127.0.0.1 only. */
export async function startWebSocketProxy(): Promise<WebSocketProxy> {
  const sockets = new Set<Duplex>();
  let opened = 0;
  const server = createServer((_request, response) => response.writeHead(426).end());
  server.on('upgrade', (request, socket) => {
    const [host, port] = (new URL(request.url ?? '', 'http://proxy').searchParams.get('address') ?? '').split(':');
    if (host !== '127.0.0.1') return socket.destroy();
    opened += 1;
    const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${HANDSHAKE}`).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    sockets.add(socket);
    join(socket, connect(Number(port), host));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (!address || typeof address !== 'object') throw new Error('the proxy has no port');
  return {
    address: `127.0.0.1:${address.port}/`,
    opened: () => opened,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function join(browser: Duplex, database: Socket): void {
  let received = Buffer.alloc(0);
  browser.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    for (let frame = readFrame(received); frame; frame = readFrame(received)) {
      received = received.subarray(frame.size);
      if (frame.opcode === CLOSE) browser.end();
      else database.write(frame.payload);
    }
  });
  database.on('data', (chunk: Buffer) => browser.write(writeFrame(chunk)));
  for (const [one, other] of [
    [browser, database],
    [database, browser],
  ] as const) {
    one.on('close', () => other.destroy());
    one.on('error', () => other.destroy());
  }
}

/** The first frame of what a client sent, unmasked, or undefined if it is not complete yet. */
function readFrame(bytes: Buffer): { opcode: number; payload: Buffer; size: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes.readUInt8(1) & 0x7f;
  const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
  const start = 2 + extra + 4;
  if (bytes.length < start) return undefined;
  const length = extra === 0 ? short : extra === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < start + length) return undefined;
  const mask = bytes.subarray(2 + extra, start);
  const payload = Buffer.from(bytes.subarray(start, start + length));
  for (const [index, byte] of payload.entries()) payload[index] = byte ^ (mask[index % 4] ?? 0);
  return { opcode: bytes.readUInt8(0) & 0x0f, payload, size: start + length };
}

function writeFrame(payload: Buffer): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt8(0x80 | BINARY, 0);
  head.writeUInt8(127, 1);
  head.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([head, payload]);
}
