import { seededRandom } from '@hissaback/shared/domain/chance.fake';
import type { Answer } from './amazon.ts';
import { Dice, seedOf } from './dice.ts';

export type Sms = {
  readonly to: string;
  readonly text: string;
  readonly reference: string;
  readonly accepted: boolean;
};

/** The SMS gateway and the phones behind it; what it answers depends on the message alone. */
export class Phones {
  /** What reached a phone, oldest first; `accepted` says whether the gateway's answer did arrive. */
  readonly messages: Sms[] = [];
  isQuiet = false;
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  answer(body: string): Answer {
    const { mobile, text, reference } = JSON.parse(body) as { mobile: string; text: string; reference: string };
    const dice = new Dice(seededRandom(seedOf(`${this.#seed} ${reference}`)));
    const roll = this.isQuiet ? 0 : dice.between(0, 99);
    const arrive = (accepted: boolean): void => {
      this.messages.push({ to: `+${mobile}`, text, reference, accepted });
    };
    if (roll < 80) {
      arrive(true);
      return { status: 200, text: JSON.stringify({ type: 'success', message: 'queued' }) };
    }
    if (roll < 86) {
      arrive(false);
      return 'silence';
    }
    if (roll < 90) return 'silence';
    if (roll < 94) return { status: 500, text: 'oops' };
    if (roll < 97) return { status: 429, text: JSON.stringify({ type: 'error', message: 'busy' }) };
    return { status: 200, text: JSON.stringify({ type: 'error', message: 'refused' }) };
  }
}
