import pg from 'pg';

/** How to reach the server over a WebSocket; without `proxy`, the address that Neon derives from the host. */
export type WebSocketRoute = {
  /** `host:port/path` of a WebSocket-to-TCP proxy, called with `?address=<host>:<port>`. */
  proxy?: string;
  /** TLS on the WebSocket. */
  secure: boolean;
};

/** Where the database is: a Hyperdrive binding as it is, or an address to be reached over a WebSocket. */
export type DatabaseBinding = { connectionString: string; webSocket?: WebSocketRoute };

/** The part of a Worker's environment that says where its database is. */
export type DatabaseEnvironment = { DB?: { connectionString: string }; DATABASE_URL?: string; DATABASE_PROXY?: string };

/** Hyperdrive where it is bound, else DATABASE_URL over a WebSocket (through DATABASE_PROXY, if set). Throws an Error if neither is there. */
export function databaseBinding(environment: DatabaseEnvironment): DatabaseBinding {
  if (environment.DB) return { connectionString: environment.DB.connectionString };
  if (!environment.DATABASE_URL)
    throw new Error('no database: neither the Hyperdrive binding DB nor DATABASE_URL is set');
  return {
    connectionString: environment.DATABASE_URL,
    webSocket: environment.DATABASE_PROXY ? { proxy: environment.DATABASE_PROXY, secure: false } : { secure: true },
  };
}

const INT8 = 20;
const DATE = 1082;
const INT8_ARRAY = 1016;
const DATE_ARRAY = 1182;
const NUMERIC_ARRAY = 1231;
const TEXT_ARRAY: number = 1009;

type Parse = (text: string) => unknown;
const parseStrings = pg.types.getTypeParser(TEXT_ARRAY, 'text') as (text: string) => (string | null)[];
const asIs: Parse = (text) => text;
const parsers = new Map<number, Parse>([
  [INT8, BigInt],
  [DATE, asIs],
  [INT8_ARRAY, (text) => parseStrings(text).map((item) => (item === null ? null : BigInt(item)))],
  [DATE_ARRAY, parseStrings],
  [NUMERIC_ARRAY, parseStrings],
]);

/** Per client, never global: no float ever stands for money or an id. NUMERIC is text already. */
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary'): Parse =>
    (format !== 'binary' && parsers.get(oid)) || (pg.types.getTypeParser(oid, format ?? 'text') as Parse),
};

const CONNECT_TIMEOUT_MS = 10_000;

/** A new client that is not connected yet. Over Hyperdrive and in Node `pg`; else Neon's, which is the same client on a WebSocket. */
export async function newClient(binding: DatabaseBinding): Promise<pg.Client> {
  const config = {
    connectionString: binding.connectionString,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    types: types as pg.CustomTypesConfig,
  };
  if (!binding.webSocket) return new pg.Client(config);
  // Imported here, so that a Worker with Hyperdrive never evaluates it.
  const neon = await import('@neondatabase/serverless');
  const client = new neon.Client(config);
  const { proxy, secure } = binding.webSocket;
  if (proxy !== undefined) {
    client.neonConfig.wsProxy = (host, port) => `${proxy}?address=${host}:${port}`;
    // Neon's own proxy takes the password unasked; a plain server asks by SCRAM.
    client.neonConfig.pipelineConnect = false;
  }
  client.neonConfig.useSecureWebSocket = secure;
  return client as unknown as pg.Client;
}
