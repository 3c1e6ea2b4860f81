import { join } from 'node:path';
import { BoundedList } from '../kit/bounded.ts';
import { type Journal, openJournal } from '../kit/journal.ts';

/** A text message that the gateway took; `to` in E.164, `at` in RFC 3339. */
export type Message = {
  id: string;
  to: string;
  text: string;
  at: string;
  kind: string;
  template_id: string;
  sender: string | null;
  reference: string | null;
};

const KEPT = 50_000;

/** The messages taken, newest KEPT of them in memory, all of them on file. */
export class MessageBook {
  readonly #journal: Journal<Message>;
  readonly #messages = new BoundedList<Message>(KEPT);

  constructor(dir: string) {
    this.#journal = openJournal<Message>(join(dir, 'sms-messages.jsonl'));
    for (const message of this.#journal.entries) this.#messages.push(message);
  }

  add(message: Message): void {
    this.#journal.append(message);
    this.#messages.push(message);
  }

  /** Oldest first; everyone's when `to` is undefined. */
  of(to: string | undefined): Message[] {
    return this.#messages.all().filter((message) => to === undefined || message.to === to);
  }

  clear(): void {
    this.#journal.rewrite([]);
    this.#messages.clear();
  }

  close(): void {
    this.#journal.close();
  }
}
