import { z } from 'zod';
import { controlled, FaultQueue, faultRoutes, faultTiming } from '../kit/faults.ts';
import { type Answer, type Call, json, type ListenOptions, type Routes, type Running, serve } from '../kit/http.ts';
import { sleep } from '../kit/time.ts';
import { nameOf, type RecordSet, type RecordType, recordSet, TYPES, Zone } from './zone.ts';

export type DnsOptions = ListenOptions & {
  /** Directory of dns-records.jsonl. */
  dir: string;
};

const dnsFault = z.strictObject({
  ...faultTiming,
  kind: z.enum(['servfail', 'http-500', 'garbage', 'delay', 'drop-before']),
  /** Only questions for this name. */
  name: z.string().optional(),
});
type DnsFault = z.output<typeof dnsFault>;

const NO_ERROR = 0;
const SERVER_FAILURE = 2;
const NO_SUCH_NAME = 3;
const MOST_ALIASES = 8;
/** Characters in one piece of a TXT record. */
const PIECE = 255;

/** Starts a stand-in for a resolver that speaks JSON over HTTP, as Cloudflare's `/dns-query` and Google's `/resolve` do. */
export async function startDns(options: DnsOptions): Promise<Running> {
  const dns = new Dns(options);
  const running = await serve('dns', dns.routes(), options);
  return {
    ...running,
    close: async () => {
      await running.close();
      dns.close();
    },
  };
}

type Question = { name: string; type: number };
type Given = Question & { TTL: number; data: string };

class Dns {
  readonly #zone: Zone;
  readonly #faults = new FaultQueue<DnsFault>();

  constructor(options: DnsOptions) {
    this.#zone = new Zone(options.dir);
  }

  close(): void {
    this.#zone.close();
  }

  routes(): Routes {
    return {
      'GET /dns-query': (call) => this.#resolve(call),
      'GET /__control/records': () => json(200, { records: this.#zone.all() }),
      'POST /__control/records': ({ body }) =>
        controlled(recordSet, body, (set) => {
          this.#zone.set(set);
          return json(200, { records: this.#zone.all() });
        }),
      ...faultRoutes(this.#faults, dnsFault),
      'POST /__control/reset': () => {
        this.#faults.clear();
        this.#zone.clear();
        return json(200, { reset: true });
      },
    };
  }

  async #resolve({ url, headers, signal }: Call): Promise<Answer> {
    // Without it the real ones want a message in the wire format.
    const wanted = `${headers.accept ?? ''},${url.searchParams.get('ct') ?? ''}`;
    if (!wanted.includes('application/dns-json')) return json(400, { error: 'ask for application/dns-json' });
    const name = nameOf(url.searchParams.get('name') ?? '');
    if (name === null) return json(400, { error: 'Invalid query name.' });
    const type = typeNumber(url.searchParams.get('type') ?? 'A');
    if (type === null) return json(400, { error: 'Invalid query type.' });
    const fault = this.#faults.take((one) => one.name === undefined || nameOf(one.name) === name);
    await sleep(fault?.ms ?? 0, signal);
    if (fault?.kind === 'drop-before') return 'drop';
    if (fault?.kind === 'http-500')
      return { status: 500, headers: { 'content-type': 'text/html' }, body: '<h1>500</h1>' };
    const [status, records] = fault?.kind === 'servfail' ? [SERVER_FAILURE, []] : this.#look(name, type);
    const answer = message({ name, type }, status, records);
    return fault?.kind === 'garbage' ? dnsJson(answer.slice(0, answer.length / 2)) : dnsJson(answer);
  }

  /** The status and the records of a question, aliases followed. */
  #look(asked: string, type: number): [status: number, records: Given[]] {
    const known = (Object.keys(TYPES) as RecordType[]).find((one) => TYPES[one] === type);
    const records: Given[] = [];
    let name = asked;
    for (let step = 0; step <= MOST_ALIASES; step++) {
      const own = known === undefined ? undefined : this.#zone.find(name, known);
      if (own !== undefined) return [NO_ERROR, [...records, ...givenBy(own)]];
      const alias = this.#zone.find(name, 'CNAME');
      if (alias === undefined) return [this.#zone.exists(name) ? NO_ERROR : NO_SUCH_NAME, records];
      records.push(...givenBy(alias));
      name = nameOf(alias.values[0] ?? '') ?? '';
    }
    return [SERVER_FAILURE, []];
  }
}

function typeNumber(text: string): number | null {
  const known = (Object.keys(TYPES) as RecordType[]).find((one) => one === text.toUpperCase());
  if (known !== undefined) return TYPES[known];
  return /^\d{1,5}$/.test(text) && Number(text) > 0 && Number(text) < 65_536 ? Number(text) : null;
}

function givenBy({ name, type, values, ttl }: RecordSet): Given[] {
  return values.map((value) => ({ name, type: TYPES[type], TTL: ttl, data: type === 'TXT' ? quoted(value) : value }));
}

/** A text as resolvers write it: quoted, in pieces where it is long. */
function quoted(text: string): string {
  const pieces = text.match(new RegExp(`.{1,${PIECE}}`, 'gs')) ?? [];
  return pieces.map((piece) => `"${piece.replace(/["\\]/g, '\\$&')}"`).join(' ');
}

function message(question: Question, status: number, records: Given[]): string {
  const flags = { TC: false, RD: true, RA: true, AD: false, CD: false };
  return JSON.stringify({
    Status: status,
    ...flags,
    Question: [question],
    ...(records.length > 0 && { Answer: records }),
  });
}

function dnsJson(body: string): Answer {
  return { status: 200, headers: { 'content-type': 'application/dns-json' }, body };
}
