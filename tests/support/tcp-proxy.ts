import { connect, createServer, type Socket } from 'node:net';

/** When a connection through the proxy breaks; counted over the whole proxy, in pieces the client sent. */
export type Cut =
  /** When COMMIT is sent: it never reaches the server, or it does and the answer is lost. */
  | { at: 'commit'; isDelivered: boolean }
  /** After so many pieces of a connection, whatever is under way. */
  | { at: 'piece'; count: number };

export type TcpProxy = {
  /** The same database through the proxy. */
  through(connectionString: string): string;
  /** The next connections that get that far break. */
  cut(cut: Cut, times?: number): void;
  /** How many connections were broken. */
  readonly broken: number;
  close(): Promise<void>;
};

/** A TCP proxy before a PostgreSQL, that breaks connections where a test wants them to break. The server must be asked without TLS. */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const state = { cut: null as Cut | null, times: 0, broken: 0 };
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    let pieces = 0;
    let isDeaf = false;
    const end = (): void => {
      client.destroy();
      upstream.destroy();
      sockets.delete(client);
      sockets.delete(upstream);
    };
    const strike = (): void => {
      state.times -= 1;
      state.broken += 1;
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', end);
      socket.on('close', end);
    }
    client.on('data', (piece: Buffer) => {
      pieces += 1;
      const { cut } = state;
      if (cut !== null && state.times > 0) {
        if (cut.at === 'piece' && pieces > cut.count) {
          strike();
          end();
          return;
        }
        if (cut.at === 'commit' && piece.includes('commit\0')) {
          strike();
          if (!cut.isDelivered) {
            end();
            return;
          }
          isDeaf = true;
        }
      }
      upstream.write(piece);
    });
    upstream.on('data', (piece: Buffer) => {
      // The server has committed by the time it answers.
      if (isDeaf) end();
      else client.write(piece);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    through(connectionString) {
      const url = new URL(connectionString);
      url.hostname = '127.0.0.1';
      url.port = String(address.port);
      return url.href;
    },
    cut(cut, times = 1) {
      state.cut = cut;
      state.times = times;
    },
    get broken() {
      return state.broken;
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
