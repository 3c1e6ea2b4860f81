import type { Message } from './messages.ts';

export type ReportTarget = {
  /** Where reports go; none are sent without it. */
  url?: string | undefined;
  /** What they carry as `token`. */
  token?: string | undefined;
  /** From acceptance to the report, in milliseconds: reports of that time go out together. */
  delayMs?: number | undefined;
};

/** What becomes of a message: MSG91's status code and word. */
export type Fate = { status: string; desc: string };

export const DELIVERED: Fate = { status: '1', desc: 'DELIVERED' };
export const FAILED: Fate = { status: '2', desc: 'FAILED' };

const DELAY_MS = 500;
const MOST_AT_ONCE = 500;
const TRIES = 6;
const RETRY_MS = 2_000;

type Report = Pick<Message, 'id' | 'to' | 'sender' | 'reference'> & Fate & { date: string };

/** Sends delivery reports as MSG91's webhook does (version 2: a form whose `data` is JSON), again after a refusal, until it gives up. */
export class Reporter {
  readonly #target: ReportTarget;
  readonly #timers = new Set<NodeJS.Timeout>();
  #waiting: Report[] = [];

  constructor(target: ReportTarget) {
    this.#target = target;
  }

  add(message: Message, fate: Fate, at: Date): void {
    if (this.#target.url === undefined) return;
    const { id, to, sender, reference } = message;
    this.#waiting.push({ id, to, sender, reference, ...fate, date: at.toISOString().slice(0, 19).replace('T', ' ') });
    if (this.#waiting.length === 1) this.#later(this.#target.delayMs ?? DELAY_MS, () => this.#flush());
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#waiting = [];
  }

  #flush(): void {
    const reports = this.#waiting.splice(0, MOST_AT_ONCE);
    if (this.#waiting.length > 0) this.#later(0, () => this.#flush());
    void this.#send(bodyOf(reports), 1);
  }

  async #send(body: string, attempt: number): Promise<void> {
    const url = new URL(this.#target.url ?? '');
    if (this.#target.token !== undefined) url.searchParams.set('token', this.#target.token);
    try {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(10_000) });
      await response.arrayBuffer();
      if (response.ok) return;
    } catch {
      // Nobody answered: the same again later.
    }
    if (attempt < TRIES) this.#later(RETRY_MS * 2 ** (attempt - 1), () => void this.#send(body, attempt + 1));
  }

  #later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    timer.unref();
    this.#timers.add(timer);
  }
}

function bodyOf(reports: readonly Report[]): string {
  const data = reports.map(({ id, to, sender, reference, status, desc, date }) => ({
    senderId: sender ?? '',
    requestId: id,
    report: [{ date, number: to.replace(/^\+/, ''), status, desc, failedReason: '', CRQID: reference ?? '0' }],
    userId: '1',
    campaignName: 'API',
  }));
  return new URLSearchParams({ data: JSON.stringify(data) }).toString();
}
